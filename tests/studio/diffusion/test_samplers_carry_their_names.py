"""AUTOMATIC1111's names lead to the diffusers schedulers they mean."""

from __future__ import annotations

import inspect

import pytest

from studio.diffusion.samplers import (
    SAMPLERS,
    SCHEDULES,
    SIGMA_FLAGS,
    make_scheduler,
    resolve,
    sampler_names,
    scheduler_class,
)
from studio.errors import InputError

FAMILY = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "timestep_spacing": "leading"}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_table_says_what_diffusers_can_do(sampler: str) -> None:
    taken = set(inspect.signature(scheduler_class(sampler).__init__).parameters)
    assert SAMPLERS[sampler].sigmas == (set(SIGMA_FLAGS) <= taken)
    assert SAMPLERS[sampler].zero_snr == ("rescale_betas_zero_snr" in taken)
    assert "prediction_type" in taken


@pytest.mark.parametrize("name", sampler_names())
def test_every_listed_name_makes_a_scheduler(name: str) -> None:
    sampler, schedule = resolve(name)
    made = make_scheduler({**FAMILY, "prediction_type": "v_prediction"}, sampler, schedule, seeds=(1,))
    made.set_timesteps(8)
    assert len(made.timesteps) >= 8
    assert made.config.prediction_type == "v_prediction"
    assert made.config.beta_end == 0.012


@pytest.mark.parametrize(
    ("name", "schedule", "expected"),
    [
        ("DPM++ 2M Karras", "Automatic", {"use_karras_sigmas": True, "algorithm_type": "dpmsolver++"}),
        ("DPM++ 2M", "karras", {"use_karras_sigmas": True}),
        (
            "DPM++ 2M SDE Exponential",
            "Automatic",
            {"use_exponential_sigmas": True, "algorithm_type": "sde-dpmsolver++"},
        ),
        ("Euler", "SGM Uniform", {"timestep_spacing": "trailing", "use_karras_sigmas": False}),
        ("Euler", "Automatic", {"timestep_spacing": "leading"}),
        ("plms", "Automatic", {"skip_prk_steps": True}),
    ],
)
def test_names_become_settings(name: str, schedule: str, expected: dict[str, object]) -> None:
    made = make_scheduler(FAMILY, *resolve(name, schedule), seeds=(1,))
    assert {key: made.config[key] for key in expected} == expected


def test_a_named_schedule_overrides_the_familys_own() -> None:
    made = make_scheduler({**FAMILY, "use_karras_sigmas": True}, *resolve("DPM++ 2M", "Exponential"), seeds=(1,))
    assert (made.config.use_karras_sigmas, made.config.use_exponential_sigmas) == (False, True)


def test_weights_that_start_from_pure_noise_refuse_samplers_that_can_not() -> None:
    family = {**FAMILY, "rescale_betas_zero_snr": True}
    make_scheduler(family, "DDIM", "Automatic", seeds=(1,))
    with pytest.raises(InputError) as caught:
        make_scheduler(family, "LMS", "Automatic", seeds=(1,))
    assert caught.value.code == "sampler_not_for_family"
    assert "Euler a" in caught.value.message


def test_every_schedule_has_a_sampler() -> None:
    assert all(any(one.takes(schedule) for one in SAMPLERS.values()) for schedule in SCHEDULES)
