"""What holds for every template of the house, found by reading them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "templates"
PAGES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
PARTIALS = ("ui/", "allauth/elements/", "django/forms/")
ALONE = {"base.html", "500.html", "offline.html"}  # the last is kept for everybody, so it shows nobody's frame
ICON = re.compile(r"""{%\s*icon\s+["']([a-z0-9-]+)["']""")


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def markup_of(name: str) -> str:
    """Without comments, and without what only a mail client reads."""
    return re.sub(r"{#.*?#}|{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", text_of(name), flags=re.S)


@pytest.mark.parametrize("name", PAGES)
def test_a_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", [name for name in PAGES if "/mail/" not in name])
def test_nothing_is_inline_because_the_content_policy_forbids_it(name: str) -> None:
    markup = re.sub(r"{%.*?%}", "", markup_of(name), flags=re.S)
    assert not re.search(r"<[a-z][^>]*\sstyle\s*=", markup), "style attribute"
    assert not re.search(r"<[a-z][^>]*\son[a-z]+\s*=", markup), "event attribute"
    assert not re.search(r"<style\b", markup), "style element"
    for attributes, body in re.findall(r"<script\b([^>]*)>(.*?)</script>", markup, flags=re.S):
        data = 'type="application/json"' in attributes
        assert data or ("src=" in attributes and not body.strip()), "inline script"
    assert "javascript:" not in markup


@pytest.mark.parametrize("name", [name for name in PAGES if "/mail/" not in name])
def test_a_template_is_a_page_of_the_frame_or_a_partial(name: str) -> None:
    markup = markup_of(name)
    if name in ALONE:
        assert "<!doctype html>" in markup
    else:
        assert "<html" not in markup
        if name.startswith(PARTIALS):
            assert "{% extends" not in markup or name == "ui/gallery.html"


@pytest.mark.parametrize("name", PAGES)
def test_every_icon_that_is_used_is_there(name: str) -> None:
    for icon in ICON.findall(text_of(name)):
        assert (FOLDER / "icons" / f"{icon}.svg").is_file(), icon


@pytest.mark.parametrize("name", PAGES)
def test_a_comment_in_braces_ends_on_its_line(name: str) -> None:
    """Django's {# #} does not span lines: the rest would be printed."""
    for line in text_of(name).splitlines():
        assert line.count("{#") == line.count("#}")


@pytest.mark.parametrize("name", [name for name in PAGES if "/mail/" not in name])
def test_every_form_that_changes_something_carries_its_token(name: str) -> None:
    for form in re.findall(r"<form\b[^>]*method=.post.[^>]*>.*?</form>", markup_of(name), flags=re.S):
        if name not in ("ui/gallery.html", "allauth/elements/form.html"):
            assert "csrf_token" in form


@pytest.mark.parametrize("name", [name for name in PAGES if "/mail/" not in name])
def test_every_picture_says_what_it_shows_or_that_it_is_decoration(name: str) -> None:
    for image in re.findall(r"<img\b[^>]*>", markup_of(name)):
        assert " alt=" in image


def test_scripts_are_modules_of_the_house_that_check_their_types() -> None:
    for path in (ROOT / "frontend" / "plain" / "js").glob("*.js"):
        source = path.read_text(encoding="utf-8")
        assert source.startswith("// @ts-check\n"), path.name
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write|{any}", source), path.name
        for target in re.findall(r'from "\./([a-z.-]+)"|import "\./([a-z.-]+)"', source):
            assert (path.parent / (target[0] or target[1])).is_file()
