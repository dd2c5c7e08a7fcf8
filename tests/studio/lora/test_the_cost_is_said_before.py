"""An estimate counts everything that a training does, and follows sizes and devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.lora.cost import estimate
from studio.lora.plans import plan_for

MINI = plan_for("mini", pictures=7, trigger="zkx")


def test_steps_cost_by_batch_area_and_accumulation() -> None:
    one = estimate(MINI, pictures=7, held_out=2, gpu=False)
    twice = estimate(replace(MINI, accumulation=2), pictures=7, held_out=2, gpu=False)
    smaller = estimate(replace(MINI, width=64), pictures=7, held_out=2, gpu=False)
    assert twice.step == pytest.approx(2 * one.step)
    assert smaller.step == pytest.approx(one.step / 2)
    assert one.total > one.setup + MINI.steps * one.step


def test_validation_samples_and_pictures_are_counted() -> None:
    plain = replace(MINI, sample_every=0)
    without = estimate(plain, pictures=7, held_out=0, gpu=False).total
    held_out = estimate(plain, pictures=7, held_out=3, gpu=False).total
    sampled = estimate(replace(plain, sample_every=100), pictures=7, held_out=0, gpu=False).total
    more = estimate(plain, pictures=70, held_out=0, gpu=False).total
    assert min(held_out, sampled, more) > without


def test_a_gpu_and_a_small_family_are_faster() -> None:
    real = plan_for("sdxl", pictures=7, trigger="zkx")
    assert (
        estimate(real, pictures=7, held_out=0, gpu=True).total
        < estimate(real, pictures=7, held_out=0, gpu=False).total / 50
    )
    assert (
        estimate(MINI, pictures=7, held_out=0, gpu=False).step
        < estimate(real, pictures=7, held_out=0, gpu=True).step * 20
    )
