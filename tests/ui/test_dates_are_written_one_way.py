"""One way for each language, wherever a date stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import formats, translation

MOMENT = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
# Named formats for people; "c" and the quoted form for machines (datetime attributes, values of date fields).
ALLOWED = {'"DATE_FORMAT"', '"DATETIME_FORMAT"', '"SHORT_DATETIME_FORMAT"', "'c'", "'Y-m-d'"}


@pytest.mark.parametrize("language, day", [("en", "3 Nov 2026"), ("zh-hans", "2026年11月3日")])
def test_every_named_format_writes_the_day_alike(language: str, day: str) -> None:
    with translation.override(language):
        assert formats.date_format(MOMENT, "DATE_FORMAT") == formats.date_format(MOMENT, "SHORT_DATE_FORMAT") == day
        for name in ("DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"):
            written = formats.date_format(MOMENT, name)
            assert written.startswith(day) and written.endswith("14:05"), name


def test_no_template_has_a_format_of_its_own() -> None:
    used = {
        (file.name, found)
        for folder in settings.TEMPLATES[0]["DIRS"]
        for file in Path(folder).rglob("*.*")
        if file.suffix in (".html", ".txt")
        for found in re.findall(r"\|date:(\"[^\"]*\"|'[^']*')", file.read_text(encoding="utf-8"))
    }
    assert len(used) > 5 and not {one for one in used if one[1] not in ALLOWED}
