"""The computed table of modules against diffusers' and transformers' classes, at full size, on the meta device."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.random_families import SD15, SDXL, Shape, denoiser_config, text_encoders, up_blocks
from studio.lora.layouts import text_module
from studio.lora.module_table import ARCHITECTURES, module_shapes
from studio.mini.family import RECIPES, build_text_encoder, build_unet


def real_modules(family: str) -> dict[str, Any]:
    with torch.device("meta"):
        if family == "mini":
            words = build_text_encoder(RECIPES["cpu"], vocabulary=626, start=0, end=1)
            return {"unet": build_unet(RECIPES["cpu"]), "text_encoder": words}
        shape: Shape = {"sd15": SD15, "sdxl": SDXL}[family]
        from diffusers import UNet2DConditionModel

        unet = UNet2DConditionModel(
            in_channels=9, out_channels=4, up_block_types=up_blocks(shape), sample_size=64, **denoiser_config(shape)
        )
        return {"unet": unet, **text_encoders(shape)}


@pytest.mark.parametrize("family", list(ARCHITECTURES))
def test_every_module_is_there_with_its_size_and_no_other(family: str) -> None:
    expected = {}
    for component, root in real_modules(family).items():
        for name, module in root.named_modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
                path = name if component == "unet" else text_module(name)
                expected[component, path] = tuple(module.weight.shape)
    table = dict(module_shapes(family))
    assert expected["unet", "conv_in"] in table["unet", "conv_in"]
    assert table.keys() == expected.keys()
    assert {key: shapes[0] for key, shapes in table.items()} == expected
