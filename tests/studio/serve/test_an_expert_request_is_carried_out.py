"""``generate``: every field of the engine's own request, by JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.diffusion.types import Fill, Generate, Resize
from studio.errors import InputError
from studio.serve.client import JobError
from studio.serve.orders import generate_of
from tests.studio.serve.conftest import Message, Running


def message(out: Path, **request: Any) -> Message:
    return {"op": "generate", "id": "g", "engine": "mini", "request": request, "out": str(out)}


def test_pictures_come_with_their_parameters_and_no_report(executor: Running, photo: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.fromarray(np.pad(np.full((200, 400), 255, np.uint8), ((0, 400), (0, 0)))).save(mask)
    control = {"image": str(photo), "weight": 0.5, "end": 0.5}
    asked = {
        "prompt": "red coat", "seed": [9, 4], "batch_size": 2, "steps": 2, "image": str(photo), "mask": str(mask),
        "fill": "latent_noise", "denoising_strength": 0.9, "controls": [control], "width": 128, "height": 192,
    }  # fmt: skip
    ended = executor.run(message(tmp_path / "out", **asked))
    shots = executor.told("shot")
    assert [(shot["index"], shot["seed"], shot["report"]) for shot in shots] == [(0, 9, None), (1, 4, None)]
    assert shots[0]["sizes"]["full"] == [128, 192]
    parameters = shots[1]["recipe"]["engine"]["parameters"]
    assert parameters["prompt"] == "red coat"
    assert parameters["denoising_strength"] == 0.9
    assert shots[1]["recipe"]["seed"] == 4
    assert set(ended["files"].values()) == {None} and "locked" in ended["files"]


def test_a_seed_that_is_drawn_is_told(executor: Running, tmp_path: Path) -> None:
    executor.run(message(tmp_path, prompt="beach", seed=-1, steps=1))
    shot = executor.told("shot")[0]
    assert 0 <= shot["seed"] < 2**32
    assert shot["recipe"]["batch"]["seeds"] == [shot["seed"]]


def test_the_engines_own_refusal_comes_through(executor: Running, tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        executor.run(message(tmp_path, prompt="x", steps=0))
    assert (caught.value.kind, caught.value.code) == ("input", "steps_out_of_range")


def test_what_is_left_out_has_the_default_of_the_dataclass() -> None:
    assert generate_of({"prompt": "x"}) == Generate("x")


def test_words_and_numbers_for_the_same_thing_are_the_same() -> None:
    assert generate_of({"prompt": "x", "fill": 3}) == generate_of({"prompt": "x", "fill": "latent_nothing"})
    assert generate_of({"prompt": "x", "fill": 3, "resize": "pad"}).fill is Fill.LATENT_NOTHING
    assert generate_of({"prompt": "x", "resize": "pad"}).resize is Resize.PAD
    pair, whole = [["/a.safetensors", 0.5]], [{"path": "/a.safetensors", "weight": 0.5}]
    assert generate_of({"prompt": "x", "adapters": pair}) == generate_of({"prompt": "x", "adapters": whole})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"prompt": 3}, "request_prompt_invalid"),
        ({"steps": 2.5}, "request_steps_invalid"),
        ({"steps": True}, "request_steps_invalid"),
        ({"seed": []}, "request_seed_invalid"),
        ({"fill": 4}, "request_fill_invalid"),
        ({"fill": "red"}, "request_fill_invalid"),
        ({"resize": "squash"}, "request_resize_invalid"),
        ({"only_masked": 1}, "request_only_masked_invalid"),
        ({"image": "photo.png"}, "request_image_invalid"),
        ({"mask": "/m.png"}, "request_mask_invalid"),
        ({"controls": {}}, "request_controls_invalid"),
        ({"controls": [{"kind": "openpose"}]}, "control_image_invalid"),
        ({"adapters": ["/a"]}, "request_adapters_invalid"),
        ({"references": [{"image": "/a.png", "role": "hat"}]}, "reference_role_invalid"),
        ({"stepz": 3}, "request_field_unknown"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        generate_of({"prompt": "x", **change})
    assert caught.value.code == code
    assert next(iter(change)) in caught.value.message or "[" in str(change)
