"""What the files of a merchant are called in its archive: each room names its own, and the rest go by their keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

KIND = "export"  # of storage keys: archives, which no archive holds
_UNFIT = re.compile(r"[^\w.-]+")
LONGEST = 80


@dataclass(frozen=True)
class Named:
    """A file and its path in the archive.

    ``withheld`` is a code when the file is left out: ``moderation`` where staff rejected what it shows.
    """

    key: str
    name: str
    withheld: str = ""


Names = Callable[[UUID], Iterator[Named]]
_rooms: list[Names] = []


def register(names: Names) -> None:
    """``names(merchant_id)`` runs in the merchant's scope; of two names for one file the first counts."""
    _rooms.append(names)


def named(merchant_id: UUID) -> Iterator[Named]:
    """What the rooms say."""
    for names in _rooms:
        yield from names(merchant_id)


def by_key(key: str) -> str:
    """The name of a file that no room names."""
    return "other/" + key.split("/", 2)[2]


def part(text: str, otherwise: object) -> str:
    """A folder's or file's name made of a merchant's text, for any file system; ``otherwise`` when nothing is left."""
    return _UNFIT.sub("-", text).strip("-. ")[:LONGEST] or str(otherwise)


def suffix_of(key: str) -> str:
    """With its dot."""
    return "." + key.rsplit(".", 1)[-1]
