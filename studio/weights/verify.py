"""Read every byte of a family again and say what is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

from studio.errors import WeightsError
from studio.weights.parts import check_file, check_parts
from studio.weights.store import RECORD, locate
from studio.weights.types import LocatedWeights


def verify(name: str) -> int:
    """Hold every file of a family against its recorded or published SHA-256 and the rules for its content.

    Returns:
        Bytes read.

    Raises:
        WeightsError: ``weights_missing``; ``weights_damaged`` naming every file that is not what it was.
    """
    located = locate(name)
    paths = _paths(located)
    wrong = [line for path in paths for line in _problems(located, path)]
    wrong += [f"{stray} does not belong there" for stray in _strays(located)]
    if wrong:
        # What came with a package or a checkout is reported as such: the cure is to put it back, not to fetch it.
        family = located.family
        cure = f"`python -m studio weights remove {name}` and fetch or import it again"
        cure = family.bundled.hint if located.origin == "bundled" and family.bundled else f"Run {cure}."
        raise WeightsError("weights_damaged", f"The weights {name!r} are damaged: {'; '.join(wrong)}. {cure}")
    check_parts(located.family, located.root)
    return sum(path.stat().st_size for path in paths)


def _paths(located: LocatedWeights) -> list[Path]:
    if located.files:
        return [located.root / path for path in located.files]
    parts = located.components.values()
    return [
        path for part in parts for path in ([part] if part.is_file() else sorted(part.rglob("*"))) if path.is_file()
    ]


def _strays(located: LocatedWeights) -> list[str]:
    if located.origin == "bundled":
        return []
    known = {*located.files, RECORD}
    there = (path.relative_to(located.root).as_posix() for path in located.root.rglob("*") if path.is_file())
    return sorted(path for path in there if path not in known)


def _problems(located: LocatedWeights, path: Path) -> list[str]:
    name = path.relative_to(located.root).as_posix()
    wanted = _wanted_hash(located, name)
    if wanted is not None and _read_hash(path) != wanted:
        return [f"{name} has changed (its SHA-256 is another one)"]
    try:
        check_file(path, finite=True)
    except WeightsError as error:
        return [f"{name}: {error.message}"]
    return []


def _wanted_hash(located: LocatedWeights, name: str) -> str | None:
    if name in located.files:
        return located.files[name].sha256
    return next((part.sha256 for part in located.family.components if part.file == name), None)


def _read_hash(path: Path) -> str:
    # Not file_hash: it remembers by size and time of change, and a flipped bit changes neither.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
