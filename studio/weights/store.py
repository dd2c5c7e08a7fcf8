"""Where weights live, and which of them are whole.

A family is there when ``<weights folder>/<family>/weights.json`` is: that file is written last, into a folder made
aside, and the folder is renamed into place, so a broken fetch or import is never seen. What comes with a package
(``mini``, MediaPipe) is found where the package is; a family of the same name in the weights folder goes first.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from studio.errors import InputError, WeightsError
from studio.files import write_atomically
from studio.weights.disk import file_hash, folder_bytes, locked, swap_in, sync_tree, writing
from studio.weights.parts import check_parts
from studio.weights.registry import find_family
from studio.weights.types import BundledSource, Component, Family, LocatedWeights, StoredFile

RECORD = "weights.json"
_FORMAT = 1


def weights_root() -> Path:
    """``$IMODEL_WEIGHTS``, else ``imodel/weights`` in the user's data folder (``$XDG_DATA_HOME``)."""
    chosen = os.environ.get("IMODEL_WEIGHTS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "imodel" / "weights"


def locate(name: str) -> LocatedWeights:
    """Where the parts of a family are on this machine.

    Looks at names and sizes only; :func:`verify` reads every byte.

    Raises:
        InputError: ``unknown_weights``.
        WeightsError: ``weights_missing`` or ``weights_damaged``, naming the command that helps.
    """
    family = find_family(name)
    stored = weights_root() / family.name
    if (stored / RECORD).is_file():
        return _located(family, stored, *_read_record(family, stored))
    bundled = _bundled_root(family.bundled)
    if bundled is not None and not any(_absent(bundled, part) for part in family.components):
        return _located(family, bundled, "bundled", {})
    raise _missing(family)


def is_here(name: str) -> bool:
    """Whether :func:`locate` would find the family."""
    try:
        locate(name)
    except WeightsError:
        return False
    return True


def fetch_command(family: Family) -> str:
    """The command that brings a family to this machine, or what to do when none can."""
    if family.hub:
        return f"Run `python -m studio weights fetch {family.name}`."
    return family.bundled.hint if family.bundled else f"Run `python -m studio weights import {family.name} FOLDER`."


def _located(family: Family, root: Path, origin: str, files: Mapping[str, StoredFile]) -> LocatedWeights:
    parts = {part.name: root / (part.file or part.name) for part in family.components}
    return LocatedWeights(family, root, MappingProxyType(parts), origin, MappingProxyType(dict(files)))


def _bundled_root(source: BundledSource | None) -> Path | None:
    if source is None:
        return None
    # A submodule's parent is imported by find_spec; ours and mediapipe's top level are the only ones named here.
    top, _, rest = source.package.partition(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)), *rest.split("."), source.folder)


def _absent(root: Path, part: Component) -> bool:
    if part.file:
        return not (root / part.file).is_file()
    folder = root / part.name
    return not folder.is_dir() or bool(part.weights and not (folder / part.weights).is_file())


def _missing(family: Family) -> WeightsError:
    return WeightsError(
        "weights_missing", f"The weights {family.name!r} are not on this machine. {fetch_command(family)}"
    )


def _read_record(family: Family, root: Path) -> tuple[str, Mapping[str, StoredFile]]:
    try:
        record: dict[str, Any] = json.loads((root / RECORD).read_text(encoding="utf-8"))
        files = {path: StoredFile(**entry) for path, entry in record["files"].items()}
        origin = str(record["origin"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(family, f"{RECORD} can not be read") from error
    for path, entry in files.items():
        target = root / path
        if not target.is_file() or target.stat().st_size != entry.size:
            raise _damaged(family, f"{path} is missing or has another size")
    return origin, files


def _damaged(family: Family, what: str) -> WeightsError:
    cure = f"`python -m studio weights remove {family.name}`, then "
    again = f"`python -m studio weights fetch {family.name}`" if family.hub else "import it again"
    return WeightsError("weights_damaged", f"The weights {family.name!r} are damaged: {what}. Run {cure}{again}.")


@dataclass(frozen=True)
class Staging:
    """Folders of one family beside the published ones: whole files, parts of files, and what is on its way out."""

    root: Path

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def partial(self) -> Path:
        return self.root / "partial"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    @property
    def lock(self) -> Path:
        return self.root.with_suffix(".lock")


def staging(family: Family, purpose: str) -> Staging:
    """Where a family is put together; ``purpose`` keeps a fetch that was broken off apart from an import."""
    return Staging(weights_root() / ".staging" / f"{family.name}-{purpose}")


def publish(family: Family, stage: Staging, *, origin: str, about: Mapping[str, Any]) -> LocatedWeights:
    """Record what lies in ``stage.files``, force it to the disk and rename it into place.

    Args:
        family: whose weights they are; all parts must be there.
        stage: nothing else may write into it.
        origin: ``"hub"`` or ``"import"``.
        about: where they came from, for a person who reads the record.

    Raises:
        WeightsError: ``weights_incomplete``, ``weights_mismatch``, ``config_invalid``, ``code_refused``.
        StorageError: the disk is full or can not be written.
    """
    absent = [part.file or part.name for part in family.components if _absent(stage.files, part)]
    if absent:
        raise WeightsError(
            "weights_incomplete",
            f"These parts of {family.name!r} are missing: {', '.join(absent)}. Nothing was changed.",
        )
    check_parts(family, stage.files)
    with writing(weights_root()):
        # 1. record last, 2. everything to the disk, 3. rename: locate() sees all or nothing.
        record = {"format": _FORMAT, "family": family.name, "origin": origin, "about": dict(about)}
        files = {path: asdict(entry) for path, entry in _describe(stage.files).items()}
        text = json.dumps(record | {"files": files}, indent=2, sort_keys=True) + "\n"
        write_atomically(stage.files / RECORD, text.encode())
        sync_tree(stage.files)
        swap_in(stage.files, weights_root() / family.name, trash=stage.trash)
        shutil.rmtree(stage.root, ignore_errors=True)
    return locate(family.name)


def _describe(root: Path) -> dict[str, StoredFile]:
    described = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.name != RECORD):
        status = path.stat()
        described[path.relative_to(root).as_posix()] = StoredFile(status.st_size, file_hash(path), status.st_mtime_ns)
    return described


def family_hashes(located: LocatedWeights) -> dict[str, str]:
    """Path below the family's root to SHA-256 of every file, for recipes.

    A published family's hashes are taken from its record where size and time of change are still the recorded ones.
    """
    return {path: _known_hash(located, path) for path in _listed(located)}


def _listed(located: LocatedWeights) -> Iterable[str]:
    if located.files:
        return located.files
    wanted = [path for part in located.components.values() for path in _below(part)]
    return sorted(path.relative_to(located.root).as_posix() for path in wanted)


def _below(part: Path) -> list[Path]:
    return [part] if part.is_file() else [path for path in part.rglob("*") if path.is_file()]


def _known_hash(located: LocatedWeights, path: str) -> str:
    target, entry = located.root / path, located.files.get(path)
    status = target.stat()
    if entry and (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns):
        return entry.sha256
    return file_hash(target)


def remove(name: str) -> int:
    """Delete a family from the weights folder, with whatever a broken fetch or import left; bytes freed.

    Raises:
        WeightsError: ``weights_missing`` when there is nothing to delete, ``weights_busy``.
        InputError: ``weights_bundled`` for what came with a package.
    """
    family = find_family(name)
    home = weights_root() / family.name
    stages = [staging(family, purpose) for purpose in ("fetch", "import")]
    there = [path for path in (home, *(stage.root for stage in stages)) if path.exists()]
    if not there and family.bundled:
        raise InputError("weights_bundled", f"{name!r} came with the package {family.bundled.package} and stays there.")
    if not there:
        raise _missing(family)
    freed = sum(folder_bytes(path) for path in there)
    with locked(stages[0].lock, doing=f"fetching {name}"), locked(stages[1].lock, doing=f"importing {name}"):
        for path in there:
            # The record first: a removal that is broken off must not look whole.
            (path / RECORD).unlink(missing_ok=True)
            shutil.rmtree(path)
    return freed
