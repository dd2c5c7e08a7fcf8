"""Noise, targets and weights against diffusers' own, and what masks, shares and captions do to a loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr

from studio.dataset.types import DataSet
from studio.diffusion.types import FamilyFiles
from studio.lora.cache import Cache, build_cache, loss_weight
from studio.lora.losses import Feeder, losses_of
from studio.lora.networks import Networks, load_networks
from studio.lora.noise import TRAIN, Draw, Schedule, draw
from studio.lora.order import bucket_sizes
from studio.lora.types import Plan
from tests.studio.lora.conftest import PLAN
from tests.studio.lora.sets import small_set

CPU = torch.device("cpu")
CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
MOMENTS = torch.tensor([0, 1, 10, 300, 700, 998, 999])


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_noising_and_targets_are_diffusers(prediction: str) -> None:
    config = {**CONFIG, "prediction_type": prediction}
    theirs, ours = DDPMScheduler.from_config(config), Schedule.of(config, device=CPU)
    clean, noise = torch.randn(7, 4, 3, 3), torch.randn(7, 4, 3, 3)
    assert torch.allclose(ours.noised(clean, noise, MOMENTS), theirs.add_noise(clean, noise, MOMENTS), atol=1e-6)
    expected = noise if prediction == "epsilon" else theirs.get_velocity(clean, noise, MOMENTS)
    assert torch.allclose(ours.target(clean, noise, MOMENTS), expected, atol=1e-6)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("gamma", [1.0, 5.0])
def test_min_snr_weights_are_those_of_diffusers_script(prediction: str, gamma: float) -> None:
    config = {**CONFIG, "prediction_type": prediction}
    snr = compute_snr(DDPMScheduler.from_config(config), MOMENTS)
    capped = torch.minimum(snr, torch.full_like(snr, gamma))
    expected = capped / (snr if prediction == "epsilon" else snr + 1)
    found = Schedule.of(config, device=CPU).weights(MOMENTS, gamma)
    assert torch.allclose(found, expected, rtol=1e-4)
    assert torch.equal(Schedule.of(config, device=CPU).weights(MOMENTS, None), torch.ones(7))


def test_weights_are_finite_where_the_schedule_ends_at_pure_noise() -> None:
    for prediction in ("epsilon", "v_prediction"):
        config = {**CONFIG, "prediction_type": prediction, "rescale_betas_zero_snr": True}
        weights = Schedule.of(config, device=CPU).weights(torch.tensor([999, 500]), 5.0)
        assert torch.isfinite(weights).all()
        assert weights[0] == (1.0 if prediction == "epsilon" else 0.0)


def drawn(index: int, offset: float = 0.0, shape: tuple[int, ...] = (2, 4, 12, 8)) -> Draw:
    return draw(seed=3, stream=TRAIN, index=index, shape=shape, noise_offset=offset)


def test_a_draw_is_a_function_of_seed_and_step() -> None:
    first, again, next_ = drawn(5), drawn(5), drawn(6)
    assert torch.equal(first.noise, again.noise) and torch.equal(first.timesteps, again.timesteps)
    assert not torch.equal(first.noise, next_.noise)
    assert not torch.equal(first.noise, draw(seed=4, stream=TRAIN, index=5, shape=(2, 4, 12, 8), noise_offset=0).noise)


def test_noise_offset_shifts_whole_channels() -> None:
    plain, moved = drawn(5), drawn(5, offset=0.5)
    shift = moved.noise - plain.noise
    assert torch.allclose(shift, shift[:, :, :1, :1].expand_as(shift), atol=1e-6)
    assert shift[:, :, 0, 0].abs().min() > 0
    assert len(shift[:, :, 0, 0].unique()) == 8


def test_masked_loss_weighs_by_area() -> None:
    mask = torch.zeros(16, 16, dtype=torch.bool).numpy()
    mask[:8, :8], mask[8:, 8:12] = True, True
    assert torch.allclose(loss_weight(mask, (16, 16), 0.8), torch.tensor([[1.0, 0.2], [0.2, 0.6]]))
    assert torch.equal(loss_weight(None, (16, 16), 0.8), torch.ones(2, 2))


@pytest.fixture(scope="module")
def networks(families: dict[str, FamilyFiles]) -> Networks:
    return load_networks(families["tiny"], PLAN, device=CPU)


def feeder(networks: Networks, dataset: DataSet, plan: Plan) -> Feeder:
    sizes = bucket_sizes(dataset, plan)
    cache = build_cache(networks, dataset, sizes, plan, on_picture=lambda *a: None, should_cancel=lambda: False)
    assert isinstance(cache, Cache)
    priors = frozenset(i for i, entry in enumerate(dataset.entries) if entry.kind == "prior")
    return Feeder(networks, cache, plan, priors)


def test_an_error_outside_of_the_garment_counts_as_little_as_the_plan_says(
    networks: Networks, dataset: DataSet
) -> None:
    """The loss by hand: the network's answer, the error, the mask."""
    feed, schedule = feeder(networks, dataset, PLAN), Schedule.of(networks.noise, device=CPU)
    batch = feed.batch([(0, False), (1, True)], drawn(0))
    with torch.no_grad():
        found = losses_of(networks, schedule, batch, gamma=5.0)
        noisy = schedule.noised(batch.clean, batch.noise, batch.timesteps)
        x = torch.cat([noisy, batch.seen], dim=1)
        answer = networks.unet(x, batch.timesteps, batch.words.states).sample
    error = (answer - schedule.target(batch.clean, batch.noise, batch.timesteps)) ** 2
    weight = torch.stack([feed.cache.pictures[pick].weight for pick in ((0, False), (1, True))])[:, None]
    assert weight.min() < 0.3 and weight.max() == 1
    expected = (error * weight).sum(dim=(1, 2, 3)) / (4 * weight.sum(dim=(1, 2, 3)))
    assert torch.allclose(found, expected * schedule.weights(batch.timesteps, 5.0), rtol=1e-5)


def test_regularisation_pictures_have_their_own_weight_and_no_mask(networks: Networks, tmp_path: Path) -> None:
    pictures = small_set(tmp_path, prior=1)
    feed = feeder(networks, pictures, replace(PLAN, prior_weight=0.25))
    batch = feed.batch([(0, False), (4, False)], drawn(0))
    assert batch.share.tolist() == [1.0, 0.25]
    assert torch.equal(batch.weight[1], torch.ones(1, 12, 8))
    assert torch.equal(batch.seen[1, 0], torch.ones(12, 8))  # painted whole, whatever the task


def test_captions_are_left_out_as_often_as_the_plan_says(networks: Networks, dataset: DataSet) -> None:
    feed = feeder(networks, dataset, replace(PLAN, caption_dropout=0.3))
    assert feed.cache.words is not None
    empty, own = feed.cache.words.states[-1], feed.cache.words.states[0]
    assert not torch.equal(empty, own)
    rows = [feed.batch([(0, False)] * 2, drawn(n)).words.states for n in range(300)]
    dropped = [torch.equal(row, empty) for pair in rows for row in pair]
    assert 0.25 < sum(dropped) / len(dropped) < 0.35
    assert all(torch.equal(row, own) for pair in rows for row in pair if not torch.equal(row, empty))


def test_tasks_come_as_often_as_their_odds(networks: Networks, dataset: DataSet) -> None:
    feed = feeder(networks, dataset, replace(PLAN, tasks=(1.0, 0.0, 3.0, 0.0)))
    masks = feed.cache.pictures[0, False].masks
    seen = [feed.batch([(0, False)], drawn(n, shape=(1, 4, 12, 8))).seen[0, 0] for n in range(400)]
    counts = [sum(torch.equal(one, mask) for one in seen) / 400 for mask in masks]
    assert counts[1] == counts[4] == 0
    assert abs(counts[0] - 0.25) < 0.06 and abs(counts[2] - 0.375) < 0.07 and abs(counts[3] - 0.375) < 0.07
