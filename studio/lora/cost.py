"""How long a training takes, said before anything is spent; no torch.

Counted, then divided by what a machine does: TFLOP of one picture forward and backward through a frozen denoiser with
an adapter, at the family's own size (docs/training.md says how they were counted), and the arithmetic that a device
really delivers. ``mini`` was measured on two cores; a GPU's figure is an assumption until one has been measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.lora.types import Plan
from studio.weights.registry import find_family


@dataclass(frozen=True)
class Work:
    """TFLOP of one training picture of ``width`` x ``height`` pixels."""

    tflop: float
    width: int
    height: int


MINI, SD, SDXL = Work(0.0025, 128, 192), Work(1.72, 512, 512), Work(14.2, 1024, 1024)
CPU_TFLOPS, GPU_TFLOPS = 0.06, 150.0
FORWARD = 0.48  # of a training picture's arithmetic
ENCODED = 6  # passes of the autoencoder for each picture and mirror image: itself, and with five masks
SETUP = 10.0  # seconds until the family is in memory
MOMENTS = 10  # questions asked of each held-out picture


@dataclass(frozen=True)
class Cost:
    """Seconds: of one step, before the first, and of the whole training with its validations and samples."""

    step: float
    setup: float
    total: float


def estimate(plan: Plan, *, pictures: int, held_out: int, gpu: bool) -> Cost:
    """What a plan takes.

    Args:
        plan: the training.
        pictures: that are trained on, regularisation pictures included.
        held_out: pictures for validation and samples.
        gpu: whether a GPU does it.

    Raises:
        InputError: ``unknown_weights``.
    """
    picture = _picture_seconds(plan, gpu=gpu)
    step = picture * plan.batch_size * plan.accumulation
    setup = SETUP + picture * FORWARD * ENCODED * (pictures * (2 if plan.flip else 1) + held_out)
    validations = 1 + _times(plan.steps, plan.validate_every)
    samplings = 1 + _times(plan.steps, plan.sample_every) if plan.sample_every else 0
    asked = validations * held_out * MOMENTS + samplings * plan.samples * plan.sample_steps * 2
    return Cost(step, setup, setup + plan.steps * step + asked * picture * FORWARD)


def _picture_seconds(plan: Plan, *, gpu: bool) -> float:
    family = find_family(plan.family)
    width, height = family.native_sizes[0]
    real = SDXL if family.architecture == "sdxl" else SD
    work = MINI if width * height < 256 * 256 else real
    area = plan.width * plan.height / (work.width * work.height)
    return work.tflop * area / (GPU_TFLOPS if gpu else CPU_TFLOPS)


def _times(steps: int, every: int) -> int:
    """How often something that happens every so many steps, and at the end, happens."""
    return -(-steps // every) if every else 1
