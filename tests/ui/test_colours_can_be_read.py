"""Text and controls stand out from their ground, in both themes: computed from tokens.css by WCAG 2.2's formula."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "frontend" / "plain" / "css"
TOKENS = (CSS / "tokens.css").read_text(encoding="utf-8")
GROUNDS = ("paper", "card", "well")
TEXTS = ("ink", "muted", "accent", "accent-strong", "good", "warn", "bad")
ON_THEIR_OWN = [
    ("accent", "accent-soft"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
    *[("ink", f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")],
    *[("muted", f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")],
]


def _block(selector: str) -> dict[str, str]:
    body = TOKENS.split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6});", body))


THEMES = {"light": _block("\n:root"), "dark": _block(':root[data-theme="dark"]')}


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_gives_the_known_ends() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable_on_every_ground(theme: str, ground: str, text: str) -> None:
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), ON_THEIR_OWN)
def test_text_is_readable_on_the_ground_made_for_it(theme: str, text: str, ground: str) -> None:
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ("paper", "card"))
@pytest.mark.parametrize("line", ("edge", "accent"))
def test_a_control_s_border_can_be_seen(theme: str, ground: str, line: str) -> None:
    assert contrast(THEMES[theme][line], THEMES[theme][ground]) >= 3


def test_dark_by_choice_and_dark_by_system_are_the_same_dark() -> None:
    assert _block(':root:not([data-theme="light"])') == THEMES["dark"]
    assert set(THEMES["dark"]) == set(THEMES["light"])


def test_every_custom_property_that_is_used_is_defined() -> None:
    sheets = {path.name: path.read_text(encoding="utf-8") for path in CSS.glob("*.css")}
    scripts = [path.read_text(encoding="utf-8") for path in CSS.parents[1].rglob("src/**/*.ts*")]
    defined = set(re.findall(r"(--[a-z0-9-]+):", "".join(sheets.values())))
    defined |= set(re.findall(r'"(--[a-z0-9-]+)"', "".join(scripts)))  # a place or a size that only a script knows
    used = set(re.findall(r"var\((--[a-z0-9-]+)", "".join(sheets.values())))
    assert used - defined == set()
