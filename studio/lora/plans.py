"""Good plans to start from, by family and by how many pictures there are; no torch."""

from __future__ import annotations

from dataclasses import replace

from studio.errors import InputError
from studio.lora.types import Plan
from studio.weights.registry import find_family

LOOKS = 120  # how often each picture is seen on a real family, in all
LEAST_STEPS, MOST_STEPS = 400, 3000


def plan_for(family: str, *, pictures: int, trigger: str, gpu: bool = False, **chosen: object) -> Plan:
    """The plan for a garment with ``pictures`` training pictures.

    Args:
        family: its name in the registry.
        pictures: of the garment, those held out not counted.
        trigger: the garment's word.
        gpu: whether it will run on one: half precision there.
        chosen: fields of :class:`Plan` that the caller has already settled.

    Raises:
        InputError: ``pictures_missing`` when there is none, ``unknown_weights``, ``plan_field_invalid``.
    """
    if pictures < 1:
        raise InputError("pictures_missing", "There is no picture to train on: add photos of the garment.")
    known = find_family(family)
    width, height = known.native_sizes[0]
    small = width * height < 256 * 256
    plan = _mini(family, trigger) if small else _real(family, trigger, pictures, known.architecture)
    if gpu:
        plan = replace(plan, precision="bf16")
    if chosen.get("optimizer") == "prodigy":  # it finds its own rate, of which these are factors
        plan = replace(plan, learning_rate=1.0, text_learning_rate=1.0)
    return Plan(**{**vars(plan), **chosen})


def _mini(family: str, trigger: str) -> Plan:
    return Plan(
        family, trigger, width=128, height=192, bucket_step=32, steps=300, warmup_steps=20, learning_rate=2e-3,
        modules="attention+conv",
        save_every=50, validate_every=50, sample_every=50, sample_steps=12,
    )  # fmt: skip


def _real(family: str, trigger: str, pictures: int, architecture: str) -> Plan:
    xl = architecture == "sdxl"
    batch = 2 if xl else 4
    steps = min(max(LOOKS * pictures // batch // 50 * 50, LEAST_STEPS), MOST_STEPS)
    size = (1024, 1024) if xl else (512, 768)
    every = max(50, steps // 8 // 50 * 50)
    return Plan(
        family, trigger, width=size[0], height=size[1], batch_size=batch, steps=steps,
        save_every=every, validate_every=every, sample_every=every,
    )  # fmt: skip
