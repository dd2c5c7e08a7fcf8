"""Do kohya's own scripts take our exports? Their network class, over their own denoisers, loads a file of every module.

    python -m bench.kohya_loads --checkout SD_SCRIPTS

SD_SCRIPTS is a checkout (or a git directory) of https://github.com/kohya-ss/sd-scripts. ``networks/lora.py`` and the
two denoisers it imports are compiled and run as they are; nothing of them is kept here. ``einops`` and the scripts' own
``library.utils`` are stood in for by names: neither is called when a network is put together. The adapter is random, at
full size, over everything that we train (attention, feed-forward layers, projections, convolutions, text encoders).
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from bench.random_families import SD15, SDXL, text_encoders
from studio.lora.headers import export_kohya
from studio.lora.layouts import text_module
from studio.lora.module_table import module_shapes
from studio.lora.networks import ATTENTION, CONV, SAMPLERS, TEXT
from studio.weights.lora_files import METADATA_KEY

FILES = ("library/original_unet.py", "library/sdxl_original_unet.py", "networks/lora.py")
RANK = 2


def main() -> None:
    """Export, load, and print what is left over on either side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, required=True)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    kohya = modules_of(options.checkout)
    with tempfile.TemporaryDirectory() as folder:
        for family in ("sd15", "sdxl"):
            print(row(family, kohya, Path(folder)))


def row(family: str, kohya: dict[str, Any], folder: Path) -> str:
    """One family's result."""
    ours, exported = folder / "ours.safetensors", folder / "kohya.safetensors"
    save_file(adapter(family), ours, metadata={METADATA_KEY: '{"unet.lora_alpha": 1.0, "unet.r": 2}'})
    export_kohya(ours, exported)
    texts, unet = bases(family, kohya)
    create = kohya["networks.lora"].create_network_from_weights
    network, weights = create(1.0, str(exported), None, texts if family == "sdxl" else texts[0], unet)
    network.apply_to(texts if family == "sdxl" else texts[0], unet)
    found = network.load_state_dict(weights, strict=False)
    layers = sum(name.endswith("lora_down.weight") for name in weights)
    taken = len(network.unet_loras) + len(network.text_encoder_loras)
    return (
        f"{family}: {layers} modules written, {taken} taken by kohya's network; "
        f"tensors it lacks {len(found.missing_keys)}, does not know {len(found.unexpected_keys)}"
    )


def adapter(family: str) -> dict[str, torch.Tensor]:
    """Random values for all that we train, in diffusers' layout."""
    made = {}
    for (component, module), shapes in module_shapes(family).items():
        ends = (*ATTENTION, *CONV, *SAMPLERS) if component == "unet" else TEXT
        if module.endswith(tuple(f".{end}" for end in ends)):
            out, *rest = shapes[0]
            path = module if component == "unet" else text_module(module)
            made[f"{component}.{path}.lora_A.weight"] = torch.randn(RANK, *rest).half()
            made[f"{component}.{path}.lora_B.weight"] = torch.randn(out, RANK, *([1] * (len(rest) - 1))).half()
    return made


def bases(family: str, kohya: dict[str, Any]) -> tuple[list[Any], Any]:
    """kohya's denoiser and transformers' text encoders, without values."""
    shape = SDXL if family == "sdxl" else SD15
    with torch.device("meta"):
        texts = [Level(text) for text in text_encoders(shape).values()]
        if family == "sdxl":
            return texts, kohya["library.sdxl_original_unet"].SdxlUNet2DConditionModel()
        denoiser = kohya["library.original_unet"].UNet2DConditionModel
        return texts, denoiser(sample_size=64, attention_head_dim=8, cross_attention_dim=768)


class Level(torch.nn.Module):
    """CLIPTextModel with the level that transformers 4, for which sd-scripts is written, still has."""

    def __init__(self, text: torch.nn.Module) -> None:
        super().__init__()
        self.text_model = getattr(text, "text_model", text)


def modules_of(checkout: Path) -> dict[str, Any]:
    """The three files as modules."""
    for name in ("einops", "library", "networks", "library.utils"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["einops"].rearrange = None  # type: ignore[attr-defined]
    sys.modules["library.utils"].setup_logging = lambda *arguments, **named: None  # type: ignore[attr-defined]
    made = {}
    for file in FILES:
        name = file.removesuffix(".py").replace("/", ".")
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(text_of(checkout, file), file, "exec"), module.__dict__)  # noqa: S102  the peer, from its checkout
        made[name] = module
    return made


def text_of(checkout: Path, file: str) -> str:
    """A file of a work tree, or of a git directory without one."""
    if (checkout / file).is_file():
        return (checkout / file).read_text(encoding="utf-8")
    command = ["git", "-C", str(checkout), "show", f"HEAD:{file}"]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


if __name__ == "__main__":
    main()
