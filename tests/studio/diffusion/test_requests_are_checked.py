"""Every field of a request is checked before anything is computed, by a code that stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.diffusion.checks import complete
from studio.diffusion.samplers import SAMPLERS
from studio.diffusion.types import (
    AdapterUse,
    Capabilities,
    Control,
    Defaults,
    Fill,
    Generate,
    Reference,
    Resize,
    Role,
)
from studio.errors import InputError

DEFAULTS = Defaults(20, 7.0, "DPM++ 2M Karras", 128, 192)
ABLE = Capabilities(controls=frozenset({"openpose"}), samplers=tuple(SAMPLERS))
PICTURE = Image.new("RGB", (64, 96))
MASK = Image.new("L", (64, 96), 255)
NAN = float("nan")


def test_what_is_left_open_becomes_the_familys_default() -> None:
    whole = complete(Generate("a coat", seed=4, batch_size=3), DEFAULTS, ABLE)
    assert (whole.steps, whole.guidance_scale, whole.width, whole.height) == (20, 7.0, 128, 192)
    assert (whole.sampler, whole.scheduler, whole.seed) == ("DPM++ 2M", "Karras", (4, 5, 6))


def test_what_is_given_stays() -> None:
    asked = Generate("a coat", seed=(9,), steps=150, guidance_scale=0, width=2048, height=64, sampler="euler A")
    whole = complete(asked, DEFAULTS, ABLE)
    assert (whole.steps, whole.guidance_scale, whole.width, whole.height) == (150, 0, 2048, 64)
    assert (whole.sampler, whole.scheduler, whole.seed) == ("Euler a", "Automatic", (9,))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prompt": None}, "prompt_invalid"),
        ({"prompt": "a" * 20_001}, "prompt_invalid"),
        ({"negative_prompt": 3}, "prompt_invalid"),
        ({"seed": -2}, "seed_out_of_range"),
        ({"seed": 2**32}, "seed_out_of_range"),
        ({"seed": 1.5}, "seed_out_of_range"),
        ({"seed": (1, 2)}, "seed_out_of_range"),
        ({"seed": (-1,)}, "seed_out_of_range"),
        ({"batch_size": 0}, "batch_out_of_range"),
        ({"batch_size": 9}, "batch_out_of_range"),
        ({"batch_size": True}, "batch_out_of_range"),
        ({"iterations": 101}, "batch_out_of_range"),
        ({"steps": 0}, "steps_out_of_range"),
        ({"steps": 151}, "steps_out_of_range"),
        ({"steps": 20.0}, "steps_out_of_range"),
        ({"guidance_scale": NAN}, "guidance_out_of_range"),
        ({"guidance_scale": -0.1}, "guidance_out_of_range"),
        ({"guidance_scale": 31}, "guidance_out_of_range"),
        ({"width": 100}, "size_invalid"),
        ({"width": 56}, "size_invalid"),
        ({"height": 2056}, "size_invalid"),
        ({"height": "96"}, "size_invalid"),
        ({"sampler": "Quick"}, "unknown_sampler"),
        ({"scheduler": "Turbo"}, "unknown_scheduler"),
        ({"sampler": "DDIM Karras"}, "sampler_schedule_mismatch"),
        ({"sampler": "LMS Karras", "scheduler": "Exponential"}, "sampler_schedule_mismatch"),
        ({"clip_skip": 0}, "clip_skip_out_of_range"),
        ({"denoising_strength": NAN, "image": PICTURE}, "strength_out_of_range"),
        ({"denoising_strength": 0, "image": PICTURE}, "strength_out_of_range"),
        ({"denoising_strength": 1.01, "image": PICTURE}, "strength_out_of_range"),
        ({"denoising_strength": 0.04, "image": PICTURE}, "steps_too_few"),
        ({"denoising_strength": 0.5}, "image_missing"),
        ({"image": "photo.jpg"}, "image_invalid"),
        ({"image": Image.new("RGB", (1, 1))}, "image_invalid"),
        ({"mask": MASK}, "image_missing"),
        ({"image": PICTURE, "mask": Image.new("L", (65, 96))}, "mask_wrong_size"),
        ({"image": PICTURE, "mask": MASK, "mask_blur": NAN}, "mask_option_out_of_range"),
        ({"image": PICTURE, "mask": MASK, "mask_blur": 65}, "mask_option_out_of_range"),
        ({"image": PICTURE, "mask": MASK, "only_masked_padding": -1}, "mask_option_out_of_range"),
        ({"image": PICTURE, "mask": MASK, "fill": 4}, "mask_option_out_of_range"),
        ({"image": PICTURE, "mask": MASK, "resize": "zoom"}, "mask_option_out_of_range"),
        ({"image": PICTURE, "only_masked": True}, "image_missing"),
        ({"controls": (Control(PICTURE, kind="depth"),)}, "control_unknown"),
        ({"controls": (Control(PICTURE, weight=NAN),)}, "control_out_of_range"),
        ({"controls": (Control(PICTURE, start=0.5, end=0.5),)}, "control_out_of_range"),
        ({"controls": (Control(PICTURE, end=1.5),)}, "control_out_of_range"),
        ({"controls": (Control(PICTURE),) * 5}, "control_out_of_range"),
        ({"adapters": (AdapterUse(Path("a"), NAN),)}, "adapter_out_of_range"),
        ({"adapters": (AdapterUse(Path("a"), 1.0, 5.0),)}, "adapter_out_of_range"),
        ({"references": (Reference(PICTURE, Role.GARMENT),)}, "not_supported_by_engine"),
    ],
)
def test_out_of_range_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        complete(Generate(**{"prompt": "a coat", **fields}), DEFAULTS, ABLE)
    assert caught.value.code == code


def test_the_edges_are_allowed() -> None:
    for fields in (
        {"steps": 1}, {"steps": 150}, {"seed": 2**32 - 1}, {"guidance_scale": 30.0}, {"batch_size": 8},
        {"denoising_strength": 0.05, "image": PICTURE}, {"fill": Fill.LATENT_NOTHING}, {"resize": Resize.PAD},
        {"controls": (Control(PICTURE, weight=0, start=0, end=1),)},
    ):  # fmt: skip
        complete(Generate(**{"prompt": "", **fields}), DEFAULTS, ABLE)


def test_an_unknown_sampler_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        complete(Generate("a coat", sampler="Quick"), DEFAULTS, ABLE)
    assert all(name in caught.value.message for name in SAMPLERS)
    assert "DPM++ 2M Karras" in caught.value.message
    assert "Euler a Karras" not in caught.value.message


@pytest.mark.parametrize(
    ("request_", "able"),
    [
        (Generate("a coat", image=PICTURE, mask=MASK), Capabilities(masks=False)),
        (Generate("a coat", "blue"), Capabilities(negative_prompt=False)),
        (Generate("a coat", adapters=(AdapterUse(Path("a")),)), Capabilities(adapters=False)),
    ],
)
def test_an_engine_refuses_what_it_can_not_do(request_: Generate, able: Capabilities) -> None:
    with pytest.raises(InputError) as caught:
        complete(request_, DEFAULTS, able)
    assert caught.value.code == "not_supported_by_engine"


def test_an_edit_engine_wants_an_image_and_takes_its_references() -> None:
    able = Capabilities(needs_image=True, reference_roles=frozenset({Role.GARMENT}))
    with pytest.raises(InputError) as caught:
        complete(Generate("put it on"), DEFAULTS, able)
    assert caught.value.code == "image_missing"
    complete(Generate("put it on", image=PICTURE, references=(Reference(PICTURE, Role.GARMENT),)), DEFAULTS, able)
