"""Each text that people see has its Chinese, and the compiled file is the written one (tools/messages.py check)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tools import messages


def test_a_template_s_texts_are_found_with_their_placeholders() -> None:
    source = messages._template_source(
        '{% translate "One" %}\n   {% blocktranslate with n=x %}Two {{ n }}{% endblocktranslate %}'
        '{% firstof a _("Three") %}',
        "t.html",
    )
    found = [str(spot[1]) for spot in messages.extract("python", io.BytesIO(source.encode()))]
    assert found == ["One", "Two %(n)s", "Three"]


def test_what_is_extracted_comes_from_code_and_from_templates() -> None:
    catalog = messages.template()
    assert catalog["Skip to the content"].locations == [("templates/base.html", 0)]
    assert ("imodel_site/context.py", 0) in catalog["Catalog"].locations


def test_nothing_is_left_to_translate() -> None:
    assert messages.problems() == []


def test_a_lost_placeholder_and_a_missing_text_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "PO", tmp_path / "django.po")
    monkeypatch.setattr(messages, "MO", tmp_path / "django.mo")
    (tmp_path / "templates").mkdir()
    page = tmp_path / "templates" / "page.html"
    page.write_text(
        "{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}{% translate 'Bye' %}", encoding="utf-8"
    )
    messages.extract_all()
    written = messages.PO.read_text(encoding="utf-8").replace(
        '"Hello %(name)s"\nmsgstr ""', '"Hello %(name)s"\nmsgstr "你好 %(nam)s"'
    )
    messages.PO.write_text(written, encoding="utf-8")
    messages.compile_all()
    told = messages.problems()
    assert any("no Chinese" in line and "Bye" in line for line in told)
    assert any("Hello" in line and "placeholder" in line for line in told)
