"""Progress, previews and cancelling, as callbacks from the job's own thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PIL import Image

from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.samplers import make_scheduler
from studio.diffusion.types import Generate, Preview, Progress, Stage
from studio.diffusion.watch import clean_latents
from studio.errors import Cancelled, EngineError

REQUEST = Generate("a coat", seed=1, steps=6, sampler="Euler", batch_size=2, iterations=2)


def test_progress_goes_forward_to_one(engine: DiffusersEngine) -> None:
    heard: list[Progress] = []
    engine.generate(REQUEST, on_progress=heard.append)
    fractions = [one.fraction for one in heard]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    steps = [(one.batch, one.step) for one in heard if one.stage is Stage.STEPS]
    assert steps == [(batch, step) for batch in (1, 2) for step in range(1, 7)]
    assert {one.stage for one in heard} == set(Stage)
    assert all(one.steps == 6 for one in heard if one.stage is Stage.STEPS)


def test_timings_add_up(engine: DiffusersEngine) -> None:
    timings = engine.generate(REQUEST).timings
    assert all(timings[name] > 0 for name in ("encode", "steps", "decode", "total"))
    assert sum(seconds for name, seconds in timings.items() if name != "total") <= timings["total"]


@pytest.mark.parametrize("step", [1, 3])
def test_cancelling_takes_effect_within_one_step(engine: DiffusersEngine, step: int) -> None:
    heard: list[Progress] = []
    evaluations: list[int] = []
    hook = engine.parts["unet"].register_forward_pre_hook(lambda module, args: evaluations.append(1))
    try:
        with pytest.raises(Cancelled):
            engine.generate(
                REQUEST, on_progress=heard.append, should_cancel=lambda: bool(heard) and heard[-1].step >= step
            )
    finally:
        hook.remove()
    assert len(evaluations) == step


def test_cancelled_before_it_began_computes_nothing(engine: DiffusersEngine) -> None:
    evaluations: list[int] = []
    hooks = [
        engine.parts[name].register_forward_pre_hook(lambda module, args: evaluations.append(1))
        for name in ("unet", "text_encoder")
    ]
    with pytest.raises(Cancelled):
        engine.generate(REQUEST, should_cancel=lambda: True)
    for hook in hooks:
        hook.remove()
    assert not evaluations


def test_the_job_after_a_cancelled_one_is_untouched(engine: DiffusersEngine) -> None:
    before = engine.generate(REQUEST)
    asked = iter([False, False, False, True, True])
    with pytest.raises(Cancelled):
        engine.generate(REQUEST, on_preview=lambda preview: None, should_cancel=lambda: next(asked))
    after = engine.generate(REQUEST)
    assert [one.tobytes() for one in before.images] == [one.tobytes() for one in after.images]


def test_previews_come_each_step_and_change_nothing(engine: DiffusersEngine) -> None:
    seen: list[Preview] = []
    watched = engine.generate(REQUEST, on_preview=seen.append)
    assert [(one.batch, one.step) for one in seen] == [(batch, step) for batch in (1, 2) for step in range(1, 7)]
    assert all(len(one.images) == 2 and one.images[0].size == (32, 48) for one in seen)
    plain = engine.generate(REQUEST)
    assert watched.images[0].tobytes() == plain.images[0].tobytes()


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("sampler", ["DDIM", "Euler", "DPM++ 2M", "Heun", "DPM++ SDE"])
def test_previews_show_the_clean_picture_a_perfect_model_has_in_mind(sampler: str, prediction: str) -> None:
    family = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": prediction}
    scheduler = make_scheduler(family, sampler, "Automatic", seeds=(1,))
    scheduler.set_timesteps(10)
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    timestep = scheduler.timesteps[4 if sampler in ("DDIM", "Euler", "DPM++ 2M") else 0]
    noisy = scheduler.add_noise(clean, noise, timestep.reshape(1))
    alpha = float(scheduler.alphas_cumprod[int(timestep)])
    output = {
        "epsilon": noise,
        "v_prediction": alpha**0.5 * noise - (1 - alpha) ** 0.5 * clean,
        "sample": clean,
    }[prediction]
    scheduler._init_step_index(timestep) if hasattr(scheduler, "_init_step_index") else None
    assert torch.allclose(clean_latents(scheduler, output, timestep, noisy), clean, atol=0.05)


def test_a_second_thread_is_turned_away(engine: DiffusersEngine) -> None:
    refused: list[EngineError] = []

    def intrude(progress: Progress) -> None:
        def other() -> None:
            try:
                engine.generate(REQUEST)
            except EngineError as error:
                refused.append(error)

        if not refused:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

    result = engine.generate(REQUEST, on_progress=intrude)
    assert [(error.code, error.retryable) for error in refused] == [("engine_busy", True)]
    assert len(result.images) == 4


def test_broken_numbers_are_said_not_painted_black(engine: DiffusersEngine) -> None:
    weight = engine.parts["unet"].conv_out.bias
    kept = weight.detach().clone()
    weight.data[0] = float("nan")
    try:
        with pytest.raises(EngineError) as caught:
            engine.generate(REQUEST)
    finally:
        weight.data.copy_(kept)
    assert caught.value.code == "not_finite"


def test_parameters_tell_what_was_used_and_what_was_cut(sd_engine: DiffusersEngine, photo: Image.Image) -> None:
    result = sd_engine.generate(Generate("coat " * 20, seed=1, image=photo, denoising_strength=0.5))
    told = result.parameters
    assert (told["sampler"], told["steps"], told["width"], told["seeds"]) == ("DDIM", 4, 64, [1])
    assert len(str(told["image"])) == 64
    assert str(told["prompt_cut"]).endswith("coat") and len(str(told["prompt_cut"])) < 100
    assert np.asarray(result.images[0]).shape == (96, 64, 3)
