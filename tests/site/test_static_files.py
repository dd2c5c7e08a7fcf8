"""Collected files have hashed names, compressed twins, and headers that let a browser keep them for ever."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.core.management import call_command
from django.template import engines
from django.test import Client

from imodel_site.static import LARGEST, QuickCompressor
from imodel_site.up import prepare


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All of it, once."""
    from django.conf import settings
    from django.test import override_settings

    root = tmp_path_factory.mktemp("static")
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": "imodel_site.static.HashedFiles"}}
    with override_settings(STATIC_ROOT=str(root), STORAGES=storages):
        prepare._collect()
        yield root


def test_every_name_is_hashed_and_scripts_import_one_another_by_those_names(collected: Path) -> None:
    scripts = list((collected / "ui" / "js").glob("*.js"))
    assert scripts and all(re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.js", script.name) for script in scripts)
    imports = [name for script in scripts for name in re.findall(r'(?:from|import)\s*"\./([^"]+)"', script.read_text())]
    assert imports and all((collected / "ui" / "js" / name).is_file() for name in imports)


def test_scripts_and_styles_have_brotli_twins_and_pictures_have_none(collected: Path) -> None:
    style = next((collected / "ui" / "css").glob("*.css"))
    assert brotli.decompress(Path(f"{style}.br").read_bytes()) == style.read_bytes()
    assert not list(collected.rglob("*.webp.br")) + list(collected.rglob("*.woff2.br"))


def test_a_file_may_be_kept_for_ever_because_its_name_changes_with_it(collected: Path) -> None:
    style = next((collected / "ui" / "css").glob("*.css")).relative_to(collected)
    answer = Client().get(f"/static/{style}", headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200 and answer["Content-Encoding"] == "br"
    assert "immutable" in answer["Cache-Control"] and "max-age=315360000" in answer["Cache-Control"]


def test_a_collected_page_wears_one_sheet_that_says_what_its_parts_say(collected: Path) -> None:
    template = "{% style_sheets as all %}{{ all|join:' ' }}"
    address = engines["django"].from_string(template).render()
    assert re.fullmatch(r"/static/ui/css/site\.[0-9a-f]{12}\.css", address)
    text = (collected / address.removeprefix("/static/")).read_text(encoding="utf-8")
    assert "/*" not in text
    places = [text.index(rule) for rule in (":root {", "@font-face", ".topbar", ".kept-pages")]
    assert places == sorted(places)
    for named in re.findall(r'url\("?([^")]+)"?\)', text):
        assert named.startswith("data:") or (collected / "ui" / "css" / named).resolve().is_file(), named


def test_collecting_is_needed_again_only_when_a_source_changed(
    collected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not prepare._static_old()
    monkeypatch.setattr(prepare, "sources_hash", lambda: "another")
    assert prepare._static_old()


def test_what_is_too_big_is_left_alone(tmp_path: Path) -> None:
    big = tmp_path / "big.js"
    big.write_bytes(b"x" * (LARGEST + 1))
    small = tmp_path / "small.js"
    small.write_bytes(b"x" * 5000)
    assert QuickCompressor(quiet=True).compress(str(big)) == []
    assert QuickCompressor(quiet=True).compress(str(small)) == [f"{small}.br", f"{small}.gz"]


def test_findstatic_agrees_that_each_source_is_there() -> None:
    call_command("findstatic", "ui/js/frame.js", verbosity=0)


def test_what_vite_built_keeps_its_name_and_content_and_may_be_kept_for_ever(tmp_path: Path, settings: Any) -> None:
    """Its chunks import one another by the names that Vite gave them."""
    source, root = tmp_path / "source", tmp_path / "root"
    chunk = source / "dist" / "assets" / "mask-B3x_9kDT.js"
    chunk.parent.mkdir(parents=True)
    code = 'import{a}from"./shared-Zz1.js";a();' + "/* long enough to be compressed */" * 99
    chunk.write_text(code)
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [str(source)], str(root)
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "imodel_site.static.HashedFiles"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    kept = root / "dist" / "assets" / chunk.name
    assert kept.read_text() == code
    assert brotli.decompress(Path(f"{kept}.br").read_bytes()).decode() == code
    answer = Client().get(f"/static/dist/assets/{chunk.name}")
    assert "immutable" in answer["Cache-Control"]
    assert answer["Cross-Origin-Embedder-Policy"] == "require-corp"
