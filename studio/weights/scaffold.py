"""A family's small files (configs, tokenizers, scheduler), for weights that come without them."""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.errors import WeightsError
from studio.weights.hub import download, look_up
from studio.weights.store import Staging, is_here, locate
from studio.weights.types import Family


def lay_out_small_files(family: Family, stage: Staging, *, only: str = "") -> None:
    """Put every file but the tensors into ``stage.files``: from the installed family, else from the hub (a few MB).

    Args:
        family: whose files.
        stage: where to.
        only: name of a part to limit them to, all when empty.

    Raises:
        WeightsError: ``weights_incomplete`` when the family has no hub source, or what the hub says.
    """
    if is_here(family.name):
        _copy_installed(locate(family.name).root, family, stage, only)
    elif family.hub:
        _fetch_small(family, stage, only)
    else:
        raise WeightsError(
            "weights_incomplete", f"The configs of {family.name!r} are not on this machine. Give a folder."
        )


def _copy_installed(root: Path, family: Family, stage: Staging, only: str) -> None:
    for part in family.components:
        if only and part.name != only:
            continue
        for path in (root / part.name).rglob("*"):
            if path.is_file() and path.suffix != ".safetensors":
                target = stage.files / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def _fetch_small(family: Family, stage: Staging, only: str) -> None:
    for source in family.hub:
        for file in source.files:
            in_part = "/" in file.target and (not only or file.target.startswith(f"{only}/"))
            if in_part and not file.target.endswith(".safetensors"):
                download(look_up(source, file), stage.files / file.target, stage.partial, progress=False)
