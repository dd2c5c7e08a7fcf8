"""What a training is made of and what it tells while it runs, as frozen dataclasses; nothing here touches tensors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from PIL import Image

from studio.lora.plan_checks import check_plan, plan_fields


@dataclass(frozen=True)
class Plan:
    """Everything beside the pictures that makes a training what it is: equal plans and pictures give equal adapters.

    Attributes:
        family: name of the base family.
        trigger: the garment's word in captions and prompts.
        rank, alpha: of each low-rank pair; the change is ``alpha / rank * up @ down`` (Hu et al. 2021,
            arXiv:2106.09685, section 4.1). Rank 1..128.
        modules: ``attention`` (the four projections of every attention) or ``attention+conv`` (feed-forward layers,
            the transformers' own projections, residual blocks and samplers too).
        text_encoder: tune the text encoders' attention as well; their embeddings are then not cached.
        steps: optimiser steps in all, 1..100,000.
        batch_size: pictures that go through the denoiser at once.
        accumulation: batches a step.
        learning_rate, text_learning_rate: peak rates; Prodigy finds its own and wants 1.
        optimizer: ``adamw`` or ``prodigy`` (Mishchenko & Defazio 2023, arXiv:2306.06101).
        weight_decay: decoupled.
        clip: largest norm of a step's gradient, None for any.
        schedule: ``constant`` or ``cosine`` (to zero), both after ``warmup_steps`` of linear rise.
        min_snr_gamma: gamma of Min-SNR weighting (Hang et al. 2023, arXiv:2303.09556, section 3.4), None for equal
            weights.
        noise_offset: strength of noise constant over a picture, 0..1.
        caption_dropout: share of pictures shown without their caption, 0..1.
        masked_loss: how much less an error outside of the garment counts, 0 (as much) .. 1 (not at all).
        prior_weight: weight of the regularisation pictures' loss.
        tasks: how often an inpainting family is asked to paint everything, all but the garment, the garment, and all
            but the garment and its surroundings; relative odds. Other families paint everything.
        width, height: of the base bucket in pixels, multiples of ``bucket_step``; no other has more area.
        bucket_step: sides of buckets are multiples of this, itself one of 8.
        flip: show mirrored pictures too, of the entries that allow it.
        precision: ``fp32``, ``bf16`` or ``fp16`` for the frozen weights and the arithmetic; the adapter's own weights
            stay in float32.
        gradient_checkpointing: ``off``, ``on``, or ``auto``: on from the first step that does not fit into memory.
        compile: run the denoiser through torch.compile while training: a minute or two at the start, faster steps on a
            GPU.
        seed: of everything that is drawn.
        save_every, validate_every, sample_every: steps between them; 0 only at the end, or never for samples.
        samples: pictures a sampling.
        sample_steps: denoising steps of each.
        keep_checkpoints: how many adapters stay, 0 for all; the last two keep what resuming needs.
    """

    family: str
    trigger: str
    rank: int = 16
    alpha: float = 16.0
    modules: str = "attention"
    text_encoder: bool = False
    steps: int = 1500
    batch_size: int = 4
    accumulation: int = 1
    learning_rate: float = 1e-4
    text_learning_rate: float = 5e-5
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    clip: float | None = 1.0
    schedule: str = "cosine"
    warmup_steps: int = 50
    min_snr_gamma: float | None = 5.0
    noise_offset: float = 0.0
    caption_dropout: float = 0.05
    masked_loss: float = 0.8
    prior_weight: float = 1.0
    tasks: tuple[float, float, float, float] = (0.3, 0.1, 0.5, 0.1)
    width: int = 512
    height: int = 768
    bucket_step: int = 64
    flip: bool = True
    precision: str = "fp32"
    gradient_checkpointing: str = "auto"
    compile: bool = False
    seed: int = 0
    save_every: int = 250
    validate_every: int = 250
    sample_every: int = 250
    samples: int = 2
    sample_steps: int = 20
    keep_checkpoints: int = 0

    def __post_init__(self) -> None:
        check_plan(asdict(self))

    @classmethod
    def from_json(cls, text: str | Mapping[str, object]) -> Plan:
        """The plan in a JSON object, or in its text.

        Raises:
            InputError: ``plan_unreadable``, ``plan_field_unknown``, ``plan_field_missing``, ``plan_field_invalid``.
        """
        return cls(**plan_fields(text, names=tuple(cls.__dataclass_fields__)))

    def to_json(self) -> str:
        """One line that :meth:`from_json` reads; keys sorted, so that equal plans are equal texts."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class StepReport:
    """One optimiser step.

    Attributes:
        step, steps: 1-based, of how many.
        loss: of this step, as it was minimised.
        smoothed: exponential mean of the losses so far, without its bias towards the start.
        learning_rate: the denoiser's.
        seconds: the step took.
        memory: bytes of device memory at their peak so far; of the process where the device is the CPU.
    """

    step: int
    steps: int
    loss: float
    smoothed: float
    learning_rate: float
    seconds: float
    memory: int


@dataclass(frozen=True)
class ValidationReport:
    """Mean loss over the held-out entries at fixed timesteps, noise and tasks; step 0 is the base alone."""

    step: int
    loss: float


@dataclass(frozen=True)
class SampleReport:
    """One sample picture.

    Attributes:
        step, n: when, and which of that sampling's pictures.
        seed, prompt, entry: what it was made from; ``entry`` is the held-out entry's index.
        image: RGB.
        file: where it was written.
        similarity: of its garment to the held-out photos', 0..1, None when no mask says where the garment is.
    """

    step: int
    n: int
    seed: int
    prompt: str
    entry: int
    image: Image.Image
    file: Path | None = None
    similarity: float | None = None


@dataclass(frozen=True)
class Checkpoint:
    """An adapter on disk, and how good it is as far as it was measured at that very step."""

    step: int
    folder: Path
    adapter: Path
    sha256: str
    train_loss: float
    smoothed_loss: float
    validation_loss: float | None = None
    similarity: float | None = None


def _no(*arguments: object) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Callbacks:
    """What a training tells and asks, each from the thread that trains; every one may be left out.

    Attributes:
        on_step, on_validation, on_sample, on_checkpoint: called as each is done.
        on_log: a stable code and its numbers, for plain words elsewhere: ``loading``, ``caching`` (done, of),
            ``resumed`` (step), ``gradient_checkpointing`` (step), ``cancelled`` (step), ...
        should_cancel: asked after each step; the training saves and ends.
        wants_save, wants_sample: asked after each step; True once for each wish.
    """

    on_step: Callable[[StepReport], object] = _no
    on_validation: Callable[[ValidationReport], object] = _no
    on_sample: Callable[[SampleReport], object] = _no
    on_checkpoint: Callable[[Checkpoint], object] = _no
    on_log: Callable[[str, Mapping[str, object]], object] = _no
    should_cancel: Callable[[], bool] = _never
    wants_save: Callable[[], bool] = _never
    wants_sample: Callable[[], bool] = _never


@dataclass(frozen=True)
class Trained:
    """How a training ended.

    Attributes:
        checkpoints: those on disk, in order, those of an earlier try included.
        steps_done: optimiser steps, of all tries.
        cancelled: it was stopped before its last step.
        losses: of every step.
        validations: step and loss, in order.
    """

    checkpoints: tuple[Checkpoint, ...]
    steps_done: int
    cancelled: bool
    losses: tuple[float, ...] = field(default=(), repr=False)
    validations: tuple[ValidationReport, ...] = ()
