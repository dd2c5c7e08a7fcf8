"""Whether the parts in a folder are those of a family: configs held against the table, no code of anyone's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.errors import WeightsError
from studio.weights.foreign import load_torch_checkpoint
from studio.weights.safety import check_safetensors
from studio.weights.types import Component, Family

_MOST_CONFIG = 64 << 20


def check_file(path: Path, *, finite: bool) -> None:
    """Judge one file by its content, by the door that its place in the layout allows.

    Raises:
        WeightsError: as :mod:`studio.weights.safety` and :mod:`studio.weights.foreign` say, ``config_invalid`` for
            broken JSON.
    """
    if path.suffix == ".safetensors":
        check_safetensors(path, finite=finite)
    elif path.suffix == ".pth":
        load_torch_checkpoint(path)
    elif path.suffix == ".json":
        read_config(path)


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        WeightsError: ``config_invalid``; ``code_refused`` when it names Python code to be run (``auto_map``).
    """
    try:
        if path.stat().st_size > _MOST_CONFIG:
            raise ValueError("it is too large")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _invalid(path, str(error)) from error
    if not isinstance(config, dict):
        raise _invalid(path, "it is no JSON object")
    if "auto_map" in config:
        raise WeightsError("code_refused", f"{path} asks for Python code of its own (auto_map). That is never run.")
    return config


def check_parts(family: Family, root: Path) -> None:
    """Hold the configs below ``root`` against the table.

    Raises:
        WeightsError: ``weights_mismatch`` when a part is of another family, ``config_invalid``, ``code_refused``.
    """
    for part in family.components:
        config = root / part.name / "config.json"
        if part.weights:
            if not config.is_file():
                raise WeightsError("weights_incomplete", f"{part.name}/config.json is missing.")
            _check_config(family, part, read_config(config))


def _check_config(family: Family, part: Component, config: dict[str, Any]) -> None:
    stated = config.get("_class_name") or (config.get("architectures") or [part.class_name])[0]
    if stated != part.class_name:
        raise _mismatch(family, part, f"is a {stated}, not a {part.class_name}")
    for key, wanted in part.expects:
        if config.get(key) != wanted:
            raise _mismatch(family, part, f"has {key} = {config.get(key)!r}, not {wanted!r}")


def _mismatch(family: Family, part: Component, what: str) -> WeightsError:
    return WeightsError(
        "weights_mismatch",
        f"The {part.name} {what}: it does not belong to {family.name!r}. Give that of {family.title}.",
    )


def _invalid(path: Path, why: str) -> WeightsError:
    return WeightsError("config_invalid", f"{path} can not be read ({why}). Get it again from where it came from.")
