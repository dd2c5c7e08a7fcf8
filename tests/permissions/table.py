"""Reads table.txt."""

from __future__ import annotations

from pathlib import Path

from tests.permissions.world import ACTORS

TABLE = Path(__file__).with_name("table.txt")


def read() -> dict[tuple[str, str], dict[str, str]]:
    """By method and route name: what each actor meets."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        method, name, *cells = words
        assert len(cells) == len(ACTORS), line
        assert (method, name) not in found, f"twice: {line}"
        found[method, name] = dict(zip(ACTORS, cells, strict=True))
    return found


def line(method: str, name: str, cells: dict[str, str]) -> str:
    """A line as it stands in the table."""
    return f"{method:<6} {name:<38} " + " ".join(f"{cells[actor]:<9}" for actor in ACTORS).rstrip()
