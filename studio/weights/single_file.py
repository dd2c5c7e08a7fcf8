"""A single-file checkpoint (the original authors' layout, as shared by most sites) into diffusers layout."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

from studio.errors import WeightsError
from studio.weights.safety import check_safetensors
from studio.weights.types import Component, Family


def require_family(family: Family, path: Path) -> None:
    """Judge a checkpoint and make sure that it is an inpainting checkpoint of ``family``.

    Raises:
        WeightsError: ``weights_mismatch``, or what :mod:`studio.weights.safety` finds.
    """
    tensors = check_safetensors(path, finite=True).tensors
    for name, shape in family.single_file:
        if name not in tensors:
            raise _mismatch(family, path, f"has no {name}")
        if tensors[name].shape[1] != shape[1]:
            raise _mismatch(family, path, f"has {name} of shape {tensors[name].shape}, not {shape}")


def convert_checkpoint(family: Family, path: Path, folder: Path) -> None:
    """Write the parts that a checkpoint holds (all but the ControlNet) into ``folder``, in half precision.

    Args:
        family: whose configs lie in ``folder`` already.
        path: a safetensors file that :func:`require_family` let pass.
        folder: the family's folder in diffusers layout; receives the weights' files.

    Raises:
        WeightsError: ``weights_mismatch`` when the checkpoint does not fill a part.
    """
    from safetensors.torch import load_file

    for part in family.components:
        if part.weights and part.name != "controlnet":
            # Loaded anew for each part: diffusers takes tensors out of the table it is given.
            loaded = _load_part(family, part, load_file(path), path, folder)
            # diffusers leaves what the checkpoint lacks without storage, and says nothing for text encoders.
            if any(tensor.is_meta for tensor in loaded.state_dict().values()):
                raise _mismatch(family, path, f"does not fill the {part.name}")
            loaded.half().save_pretrained(folder / part.name, safe_serialization=True, max_shard_size="100GB")
            del loaded
            gc.collect()


def _load_part(family: Family, part: Component, state: dict[str, Any], path: Path, folder: Path) -> Any:
    import diffusers
    import torch
    import transformers
    from diffusers.loaders.single_file_utils import SingleFileComponentError, create_diffusers_clip_model_from_ldm

    dtype, configs = torch.float16, str(folder)
    try:
        if part.library == "diffusers":
            cls = getattr(diffusers, part.class_name)
            return cls.from_single_file(
                state, config=configs, subfolder=part.name, torch_dtype=dtype, local_files_only=True
            )
        return create_diffusers_clip_model_from_ldm(
            getattr(transformers, part.class_name),
            checkpoint=state,
            config=configs,
            subfolder=part.name,
            torch_dtype=dtype,
            local_files_only=True,
        )
    # What diffusers raises when names or shapes do not fit the config; its message is in the cause.
    except (SingleFileComponentError, ValueError, KeyError, RuntimeError, OSError) as error:
        raise _mismatch(family, path, f"does not fill the {part.name}") from error


def _mismatch(family: Family, path: Path, what: str) -> WeightsError:
    return WeightsError(
        "weights_mismatch", f"{path.name} {what}: it is not an inpainting checkpoint of {family.title}."
    )
