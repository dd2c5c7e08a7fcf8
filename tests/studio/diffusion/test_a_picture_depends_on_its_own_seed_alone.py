"""Picture k of a batch is the one its seed gives singly, whatever the sampler; and the same bytes come out again."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.samplers import SAMPLERS
from studio.diffusion.types import Control, Fill, Generate

ROUNDING = 2  # levels of 255


def distance(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max())


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_sampler_in_a_batch_as_alone(sd_engine: DiffusersEngine, sampler: str, photo: Image.Image) -> None:
    base = {"prompt": "a coat", "steps": 6, "sampler": sampler, "image": photo, "denoising_strength": 0.7}
    batch = sd_engine.generate(Generate(**base, seed=(3, 90, 41), batch_size=3))
    assert distance(batch.images[0], batch.images[1]) > 10
    for seed, picture in ((90, batch.images[1]), (41, batch.images[2])):
        assert distance(sd_engine.generate(Generate(**base, seed=seed)).images[0], picture) <= ROUNDING


@pytest.mark.parametrize("fill", list(Fill))
def test_inpainting_in_a_batch_as_alone(
    engine: DiffusersEngine, fill: Fill, photo: Image.Image, mask: Image.Image, skeleton: Image.Image
) -> None:
    base = {
        "prompt": "a coat", "steps": 4, "sampler": "Euler a", "image": photo, "mask": mask, "denoising_strength": 0.8,
        "fill": fill, "controls": (Control(skeleton),), "paste_back": False,
    }  # fmt: skip
    batch = engine.generate(Generate(**base, seed=(3, 90), batch_size=2))
    alone = engine.generate(Generate(**base, seed=90))
    assert distance(alone.images[0], batch.images[1]) <= ROUNDING
    assert distance(batch.images[0], batch.images[1]) > 10


def test_seeds_count_on_over_batches_and_iterations(sd_engine: DiffusersEngine) -> None:
    whole = sd_engine.generate(Generate("a coat", seed=2**32 - 2, batch_size=2, iterations=2))
    assert whole.seeds == (2**32 - 2, 2**32 - 1, 0, 1)
    assert distance(whole.images[3], sd_engine.generate(Generate("a coat", seed=1)).images[0]) <= ROUNDING


def test_a_drawn_seed_is_told_and_replays(sd_engine: DiffusersEngine) -> None:
    drawn = sd_engine.generate(Generate("a coat"))
    again = sd_engine.generate(Generate("a coat", seed=drawn.seeds[0]))
    assert again.images[0].tobytes() == drawn.images[0].tobytes()


def test_the_same_request_gives_the_same_bytes(
    engine: DiffusersEngine, photo: Image.Image, mask: Image.Image, skeleton: Image.Image
) -> None:
    request = Generate(
        "a coat", seed=5, steps=5, sampler="DPM++ SDE Karras", image=photo, mask=mask, controls=(Control(skeleton),)
    )
    first, second = engine.generate(request), engine.generate(request)
    assert first.images[0].tobytes() == second.images[0].tobytes()
    assert first.parameters == second.parameters
