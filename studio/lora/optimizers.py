"""What turns gradients into steps: AdamW from torch, Prodigy written out, and how the rate rises and falls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch

from studio.lora.types import Plan

Groups = list[dict[str, Any]]


def make_optimizer(groups: Groups, plan: Plan) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) in one fused kernel, or Prodigy; rates from the groups."""
    if plan.optimizer == "prodigy":
        return Prodigy(groups, weight_decay=plan.weight_decay)
    return torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, weight_decay=plan.weight_decay, fused=True)


def rate_factor(step: int, plan: Plan) -> float:
    """The learning rate of 0-based ``step`` over its peak: a linear rise, then level or a half cosine to 0.

    As diffusers' ``get_scheduler`` has them.
    """
    if step < plan.warmup_steps:
        return step / plan.warmup_steps
    if plan.schedule == "constant":
        return 1.0
    done = (step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


class Prodigy(torch.optim.Optimizer):
    """Adam that finds its own rate (Mishchenko & Defazio 2023, arXiv:2306.06101, algorithm 4).

    d is a lower bound, growing, of the distance from the start to the solution, which is the rate that is wanted.
    ``lr`` is a factor on it, to be left at 1; schedules work on it.

    Args:
        params: parameters or groups of them; all groups share one d.
        betas: of Adam's means; d's own sums decay with the root of the second.
        d0: the first guess of d.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        d0: float = 1e-6,
    ) -> None:
        shared = {"d": d0, "d0": d0, "d_max": d0, "d_numerator": 0.0}
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, **shared})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; ``closure`` recomputes loss and gradients first."""
        loss = closure() if closure is not None else None
        numerator, denominator = self._measured()
        if denominator == 0:
            return loss
        self._grow(numerator, denominator)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return loss

    def _measured(self) -> tuple[float, float]:
        """Update every mean with this step's gradient; return the two sums that d is estimated from."""
        products, sums = [], []
        for group in self.param_groups:
            rate = group["d"] * group["lr"]
            for parameter in group["params"]:
                if parameter.grad is not None:
                    product, total = self._averaged(parameter, group, rate)
                    products.append(product)
                    sums.append(total)
        first = self.param_groups[0]
        decay = math.sqrt(first["betas"][1])
        if not sums:
            return 0.0, 0.0
        return decay * first["d_numerator"] + float(torch.stack(products).sum()), float(torch.stack(sums).sum())

    def _averaged(
        self, parameter: torch.Tensor, group: dict[str, Any], rate: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not state:
            state["start"] = parameter.detach().clone()
            state["mean"], state["square"], state["s"] = (torch.zeros_like(parameter) for _ in range(3))
        (beta1, beta2), d, ratio = group["betas"], group["d"], group["d"] / group["d0"]
        state["mean"].mul_(beta1).add_(gradient, alpha=d * (1 - beta1))
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=d * d * (1 - beta2))
        state["s"].mul_(math.sqrt(beta2)).add_(gradient, alpha=ratio * rate)
        product = ratio * rate * (gradient * (state["start"] - parameter)).sum()
        return product, state["s"].abs().sum()

    def _grow(self, numerator: float, denominator: float) -> None:
        guess = numerator / denominator
        for group in self.param_groups:
            group["d_numerator"] = numerator
            first = group["d"] == group["d0"]
            group["d_max"] = max(group["d_max"], guess)
            group["d"] = max(group["d"], guess) if first else group["d_max"]

    def _move(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        state, d, rate = self.state[parameter], group["d"], group["d"] * group["lr"]
        parameter.mul_(1 - group["weight_decay"] * rate)
        parameter.addcdiv_(state["mean"], state["square"].sqrt().add_(d * group["eps"]), value=-rate)
