"""From a family on disk to its modules in memory: safetensors only, no network, no safety checker.

Importing this module is cheap; torch, transformers and diffusers come with the first call.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.diffusion.memory import is_out_of_memory
from studio.diffusion.types import Defaults, FamilyFiles, Part
from studio.errors import WeightsError

if TYPE_CHECKING:
    import torch

    from studio.weights.types import LocatedWeights

PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")


def from_located(located: LocatedWeights) -> FamilyFiles:
    """What the weights room found, as the engine wants it.

    Raises:
        WeightsError: ``weights_not_for_pictures`` when the family generates nothing.
    """
    family = located.family
    if family.defaults is None or family.pipelines is None:
        raise WeightsError(
            "weights_not_for_pictures",
            f"{family.name} makes no pictures. Choose mini, sd15, sdxl or an import of them.",
        )
    width, height = family.native_sizes[0]
    parts = tuple(
        Part(part.name, part.library, part.class_name, located.components[part.name])
        for part in family.components
        if part.class_name
    )
    defaults = Defaults(family.defaults.steps, family.defaults.guidance, family.defaults.sampler, width, height)
    names = family.pipelines
    return FamilyFiles(family.name, parts, names.inpaint, names.control_inpaint, defaults, dict(names.arguments))


def load_parts(files: FamilyFiles, *, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Every part of a family: modules on ``device`` in ``dtype`` and in eval mode, tokenizers, the scheduler's config.

    Raises:
        WeightsError: ``weights_missing``, ``pickle_refused`` or ``weights_damaged``.
    """
    from safetensors import SafetensorError

    loaded = {}
    for part in files.parts:
        check_folder(files.name, part.name, part.folder, tensors=_holds_tensors(part))
        try:
            loaded[part.name] = _load(part, device=device, dtype=dtype)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            if is_out_of_memory(error):
                raise
            raise WeightsError(
                "weights_damaged",
                f"The {part.name} of {files.name} could not be read ({type(error).__name__}). "
                f"Run `python -m studio weights verify {files.name}`.",
            ) from error
    return loaded


def control_kinds(files: FamilyFiles) -> Mapping[str, str]:
    """The family's ControlNets: kind to part name."""
    kinds = {}
    for part in files.parts:
        if part.name == "controlnet":
            kinds["openpose"] = part.name
        elif part.name.startswith("controlnet_"):
            kinds[part.name.removeprefix("controlnet_")] = part.name
    return kinds


def _load(part: Part, *, device: torch.device, dtype: torch.dtype) -> Any:
    cls = _part_class(part)
    if part.name == "scheduler":
        return cls.load_config(part.folder)
    if part.class_name.endswith("Tokenizer"):
        return cls.from_pretrained(part.folder, local_files_only=True)
    module = cls.from_pretrained(part.folder, local_files_only=True, use_safetensors=True, dtype=dtype)
    return module.to(device).eval().requires_grad_(False)


def _part_class(part: Part) -> Any:
    if part.class_name == "ControlNetModel":
        from studio.diffusion.pipelines import SkippingControlNet

        return SkippingControlNet
    return getattr(importlib.import_module(part.library), part.class_name)


def _holds_tensors(part: Part) -> bool:
    return part.name != "scheduler" and not part.class_name.endswith("Tokenizer")


def check_folder(family: str, name: str, folder: Path, *, tensors: bool = True) -> None:
    """Refuse a part's folder that lacks what is to be read, or offers a pickle in its place.

    Args:
        tensors: whether the part has weights at all.

    Raises:
        WeightsError: ``weights_missing``, ``pickle_refused``.
    """
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    help_text = f"Run `python -m studio weights fetch {family}`, or import your own folder."
    if not names:
        raise WeightsError("weights_missing", f"The {name} of {family} is not at {folder}. {help_text}")
    if tensors and not any(found.endswith(".safetensors") for found in names):
        if any(Path(found).suffix in PICKLES for found in names):
            raise WeightsError(
                "pickle_refused",
                f"The {name} of {family} is a pickle, which can run code: only safetensors is read.",
            )
        raise WeightsError("weights_missing", f"The {name} of {family} has no safetensors file. {help_text}")
