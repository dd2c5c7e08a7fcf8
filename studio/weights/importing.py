"""Take in a user's own weights: a folder in diffusers layout, or a single file."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.errors import InputError, WeightsError
from studio.weights.disk import locked, require_room, writing
from studio.weights.foreign import load_torch_checkpoint
from studio.weights.parts import check_file
from studio.weights.registry import find_family
from studio.weights.safety import check_safetensors
from studio.weights.scaffold import lay_out_small_files
from studio.weights.single_file import convert_checkpoint, require_family
from studio.weights.store import Staging, is_here, locate, publish, staging
from studio.weights.types import Component, Family, LocatedWeights

_SMALL = frozenset({".json", ".txt", ".model"})
_PICKLES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle", ".msgpack", ".h5"})


@dataclass(frozen=True)
class Imported:
    """What an import brought: where it is now, and the files of the user's folder that were left behind."""

    located: LocatedWeights
    skipped: tuple[str, ...]


def import_weights(name: str, path: Path, *, parts: Mapping[str, Path]) -> Imported:
    """Copy a user's weights into the store under a family's name; an earlier version is replaced only at the end.

    Args:
        name: the family they belong to.
        path: a folder in diffusers layout, a single-file safetensors checkpoint, or SAM's ``.pth``.
        parts: part name to a folder or a safetensors file, for parts that ``path`` does not hold (a ControlNet).
            Parts found in neither are kept from the version that is installed.

    Raises:
        InputError: ``unknown_weights``, ``weights_bundled``, ``import_not_found``, ``unknown_part``.
        WeightsError: ``pickle_refused``, ``weights_incomplete``, ``weights_mismatch``, ``weights_busy``, or what
            :mod:`studio.weights.safety` finds.
        StorageError: ``disk_full``, ``not_writable``; the store is as it was.
    """
    family = find_family(name)
    _check_request(family, path, parts)
    stage = staging(family, "import")
    with locked(stage.lock, doing=f"importing {name}"):
        shutil.rmtree(stage.root, ignore_errors=True)
        try:
            with writing(stage.root):
                stage.files.mkdir(parents=True)
                skipped = _gather(family, path, parts, stage)
            located = publish(family, stage, origin="import", about={"path": str(path)})
        finally:
            shutil.rmtree(stage.root, ignore_errors=True)
    return Imported(located, skipped)


def _check_request(family: Family, path: Path, parts: Mapping[str, Path]) -> None:
    if family.architecture == "mediapipe":
        raise InputError("weights_bundled", f"{family.name!r} comes with mediapipe and can not be replaced.")
    names = [part.name for part in family.components]
    for part in parts:
        if part not in names:
            raise InputError("unknown_part", f"{family.name!r} has no part {part!r}. It has: {', '.join(names)}.")
    for source in (path, *parts.values()):
        if not source.exists():
            raise InputError("import_not_found", f"There is no {source}.")


def _gather(family: Family, path: Path, parts: Mapping[str, Path], stage: Staging) -> tuple[str, ...]:
    require_room(stage.root, _bytes(path) + sum(_bytes(part) for part in parts.values()))
    if family.architecture == "sam":
        _take_sam(family, path, stage.files)
        return ()
    folders = {part.name: path / part.name for part in family.components if (path / part.name).is_dir()}
    if path.is_file():
        _take_checkpoint(family, path, stage)
    skipped: list[str] = []
    for part in family.components:
        skipped += _take_part(family, part, parts.get(part.name, folders.get(part.name)), stage)
    return tuple(skipped)


def _take_checkpoint(family: Family, path: Path, stage: Staging) -> None:
    if not family.single_file:
        raise InputError("import_not_a_folder", f"{family.name!r} is imported from a folder in diffusers layout.")
    require_family(family, path)
    lay_out_small_files(family, stage)
    convert_checkpoint(family, path, stage.files)


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*.safetensors") if p.is_file()]
    return sum(file.stat().st_size for file in files)


def _take_part(family: Family, part: Component, source: Path | None, stage: Staging) -> list[str]:
    target = stage.files / part.name
    if source is None:
        if not (target / part.weights).is_file():
            _keep_installed(family, part, target)
        return []
    if source.is_file():
        _keep_small(family, part, target, stage)
        _copy_checked(source, target / part.weights)
        return []
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    return _copy_folder(part, source, target)


def _keep_installed(family: Family, part: Component, target: Path) -> None:
    if target.is_dir() and not part.weights:
        return
    if not is_here(family.name):
        raise WeightsError(
            "weights_incomplete",
            f"There is no {part.name} for {family.name!r}. Give one with --part {part.name}=PATH, "
            "or install the family first: parts that you do not give are kept.",
        )
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(locate(family.name).components[part.name], target)


def _keep_small(family: Family, part: Component, target: Path, stage: Staging) -> None:
    """The configs that one bare safetensors file comes without."""
    if target.is_dir():
        return
    lay_out_small_files(family, stage, only=part.name)


def _copy_folder(part: Component, source: Path, target: Path) -> list[str]:
    weights = _weights_in(part, source)
    if weights is not None:
        _copy_checked(weights, target / part.weights)
    skipped = []
    for path in sorted(p for p in source.iterdir() if p.is_file() and p != weights):
        if path.suffix in _SMALL and not path.name.endswith(".index.json"):
            _copy_checked(path, target / path.name)
        else:
            skipped.append(f"{part.name}/{path.name}")
    return skipped


def _weights_in(part: Component, source: Path) -> Path | None:
    """The safetensors file of a part, in full precision or in half; None when the part needs none."""
    if not part.weights:
        return None
    stem = part.weights.removesuffix(".safetensors")
    for name in (part.weights, f"{stem}.fp16.safetensors"):
        if (source / name).is_file():
            return source / name
    if any(source.glob(f"{stem}*-of-*.safetensors")):
        raise WeightsError(
            "weights_incomplete",
            f"{source} holds its weights in pieces. Save them in one: save_pretrained(..., max_shard_size='100GB').",
        )
    pickles = sorted(path.name for path in source.iterdir() if path.suffix in _PICKLES)
    if pickles:
        raise WeightsError(
            "pickle_refused",
            f"{source} holds {pickles[0]} and no safetensors. A pickle can run code when opened and is never taken: "
            "convert it where it came from (save_pretrained(..., safe_serialization=True)).",
        )
    raise WeightsError("weights_incomplete", f"{source} holds no {part.weights}.")


def _copy_checked(source: Path, target: Path) -> None:
    """Copy first, judge the copy: what was judged is then what is kept."""
    shutil.copyfile(source, target)
    check_file(target, finite=True)


def _take_sam(family: Family, path: Path, folder: Path) -> None:
    if not path.is_file():
        raise InputError("import_not_a_file", f"{family.name!r} is imported from one file, .pth or .safetensors.")
    target = folder / family.components[0].file
    if path.suffix == ".safetensors":
        _sam_from_safetensors(path, target)
    else:
        shutil.copyfile(path, target)
    _require_shapes(family, target)


def _sam_from_safetensors(path: Path, target: Path) -> None:
    """segment_anything reads ``.pth``; tensors alone, so what is written is as harmless as what was read."""
    import torch
    from safetensors.torch import load_file

    check_safetensors(path, finite=True)
    torch.save(load_file(path), target)


def _require_shapes(family: Family, path: Path) -> None:
    state = load_torch_checkpoint(path)
    for name, shape in family.single_file:
        if name not in state or tuple(state[name].shape) != shape:
            raise WeightsError("weights_mismatch", f"The file does not hold {family.title}: {name} is not {shape}.")
