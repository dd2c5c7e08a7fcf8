"""The mask editor's scripts have no words: each key that they ask for is in ``cut_words``, and no other is."""

from __future__ import annotations

import re
from pathlib import Path

from catalog.cut_words import words

SOURCES = Path(__file__).resolve().parents[2] / "frontend" / "src" / "mask"
TOOLS = ("add", "remove", "brush", "eraser", "hand")
# Keys that the scripts put together; what may stand in the gap is in the named file.
MADE = {
    *(f"tool_{tool}" for tool in TOOLS),
    *(f"tool_{tool}_short" for tool in TOOLS),
    *(f"look_{look}" for look in ("marked", "alone", "photo")),
    *(f"candidate_{size}" for size in range(3)),
    *(f"source_{source}" for source in ("server", "device", "wait")),
    *(f"photo_{wrong}" for wrong in ("type", "big")),
    *(f"part_{part}" for part in ("upper", "lower", "full", "person")),
}


def test_every_word_that_is_asked_for_is_there_and_no_other() -> None:
    text = "\n".join(path.read_text() for path in SOURCES.rglob("*.ts*") if ".test." not in path.name)
    asked = set(re.findall(r'"([a-z][a-z_]+)"', text)) | MADE | said(text)
    given = set(words())
    assert given - asked == set()
    assert set(re.findall(r'say\(\s*"(\w+)"', text)) | MADE | said(text) <= given


def said(text: str) -> set[str]:
    """What the live region says, by what happened."""
    kinds = re.search(r"export type Happening = ([^;]+);", text)
    assert kinds is not None
    return {f"said_{kind}" for kind in re.findall(r'"(\w+)"', kinds.group(1))}


def test_the_gaps_in_put_together_words_are_those_of_the_scripts() -> None:
    tools = (SOURCES / "client" / "tools.ts").read_text()
    assert set(re.findall(r'tool: "(\w+)"', tools)) == set(TOOLS)
    assert 'LOOKS: readonly Look[] = ["marked", "alone", "photo"]' in tools
    assert 'type Source = "server" | "device" | "wait"' in (SOURCES / "logic" / "choice.ts").read_text()
