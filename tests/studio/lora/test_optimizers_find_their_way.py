"""Prodigy against its paper's promises, and the learning rate's rise and fall against diffusers' schedules."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers.optimization import get_scheduler

from studio.lora.optimizers import Prodigy, make_optimizer, rate_factor
from tests.studio.lora.conftest import PLAN


def descend(optimizer: torch.optim.Optimizer, x: torch.Tensor, target: torch.Tensor, steps: int) -> float:
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((x - target) ** 2).sum()
        loss.backward()
        optimizer.step()
    return float(((x.detach() - target) ** 2).sum())


@pytest.mark.parametrize("distance", [0.01, 1.0, 100.0])
def test_prodigy_needs_no_rate_at_any_scale(distance: float) -> None:
    """d grows from a millionth to the order of the distance that is to be gone, and the target is reached."""
    target = torch.linspace(-1, 1, 8) * distance
    x = torch.zeros(8, requires_grad=True)
    optimizer = Prodigy([x])
    left = descend(optimizer, x, target, 600)
    assert left < float((target**2).sum()) * 1e-2
    d = optimizer.param_groups[0]["d"]
    assert 1e-3 * distance < d < 10 * float(target.norm())


def test_prodigys_first_step_is_the_papers() -> None:
    """By hand, from algorithm 4: s and d stay what they were, x moves by d0 in each gradient's direction."""
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = Prodigy([x], d0=1e-3, eps=0.0)
    (x * torch.tensor([3.0, -0.5])).sum().backward()
    optimizer.step()
    # mean = 0.1 d g, square = 0.001 d^2 g^2, so the step is d * 0.1 / sqrt(0.001) * sign(g)
    moved = 1e-3 * 0.1 / 0.001**0.5
    assert torch.allclose(x.detach(), torch.tensor([1.0 - moved, -2.0 + moved]))
    assert optimizer.param_groups[0]["d"] == 1e-3


def test_prodigys_weight_decay_is_decoupled() -> None:
    x = torch.tensor([4.0], requires_grad=True)
    optimizer = Prodigy([x], d0=0.5, weight_decay=0.1, eps=1e-8)
    (x * 1e-12).sum().backward()  # next to no gradient: what moves is the decay, and the sign of the gradient
    optimizer.step()
    assert float(x.detach()) < 4.0 * (1 - 0.1 * 0.5) + 1e-6


def test_a_rate_of_nothing_moves_nothing() -> None:
    x = torch.ones(3, requires_grad=True)
    optimizer = Prodigy([x], lr=0.0)
    x.sum().backward()
    optimizer.step()
    assert torch.equal(x.detach(), torch.ones(3))


@pytest.mark.parametrize(("schedule", "theirs"), [("constant", "constant_with_warmup"), ("cosine", "cosine")])
def test_rates_are_those_of_diffusers(schedule: str, theirs: str) -> None:
    plan = replace(PLAN, schedule=schedule, steps=50, warmup_steps=10)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = get_scheduler(theirs, optimizer, num_warmup_steps=10, num_training_steps=50)
    for step in range(50):
        assert rate_factor(step, plan) == pytest.approx(scheduler.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        scheduler.step()


def test_adamw_is_torchs_own_and_fused() -> None:
    x, y = (torch.ones(5, requires_grad=True) for _ in range(2))
    fused = make_optimizer([{"params": [x], "lr": 0.1}], PLAN)
    plain = torch.optim.AdamW([y], lr=0.1, weight_decay=PLAN.weight_decay, fused=False)
    assert fused.defaults["fused"] is True
    for _ in range(5):
        for value, optimizer in ((x, fused), (y, plain)):
            optimizer.zero_grad()
            (value**3).sum().backward()
            optimizer.step()
    assert torch.allclose(x, y, rtol=1e-6)
