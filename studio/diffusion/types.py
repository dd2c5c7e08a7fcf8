"""What goes into an engine and what comes out, as frozen dataclasses; nothing here touches tensors.

The fields and their meaning follow AUTOMATIC1111's txt2img and img2img, so that a merchant's settings carry over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Protocol

from PIL import Image

MAX_SEED = 2**32 - 1
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Fill(IntEnum):
    """What a masked area holds before it is repainted (AUTOMATIC1111's ``inpainting_fill``)."""

    FILL = 0  # the surrounding colours, smeared inwards
    ORIGINAL = 1  # what is there
    LATENT_NOISE = 2  # noise in latent space
    LATENT_NOTHING = 3  # zeros in latent space


class Resize(StrEnum):
    """How a picture of another shape is brought to width x height."""

    STRETCH = "stretch"
    CROP = "crop"  # keep the shape, cut what sticks out
    PAD = "pad"  # keep the shape, repeat the border


class Role(StrEnum):
    """What a reference picture is, for the engines that take some (edit and try-on models)."""

    GARMENT = "garment"
    PERSON = "person"
    STYLE = "style"
    SOURCE = "source"


@dataclass(frozen=True)
class Control:
    """One ControlNet unit.

    Attributes:
        image: RGB, resized to the picture; the coloured skeleton for ``openpose``.
        kind: which of the family's ControlNets reads it.
        weight: 0..2.
        start, end: fractions of the steps between which it acts, 0 <= start < end <= 1.
    """

    image: Image.Image
    kind: str = "openpose"
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class AdapterUse:
    """One LoRA of a job.

    Attributes:
        path: a safetensors file in diffusers, peft or kohya layout.
        weight: -4..4, for the denoiser (and the text encoders unless said otherwise).
        text_encoder_weight: its weight in the text encoders, None for the same.
    """

    path: Path
    weight: float = 1.0
    text_encoder_weight: float | None = None


@dataclass(frozen=True)
class Reference:
    """A picture an edit or try-on engine looks at; engines that take none refuse it."""

    image: Image.Image
    role: Role


@dataclass(frozen=True)
class Generate:
    """One job: text to image, image to image (``image``), inpaint (``image`` and ``mask``), each with controls.

    ``None`` in steps, guidance_scale, width, height and sampler means the family's default; the result's
    ``parameters`` say what was used.

    Attributes:
        prompt, negative_prompt: text; what exceeds the encoder's length is cut and reported in ``parameters``.
        seed: 0..2**32-1 for the first picture, the others count on from it; a tuple names one per picture; -1 draws.
        batch_size: pictures at once, 1..8.
        iterations: batches after one another, 1..100.
        steps: 1..150; with an image about ``steps * denoising_strength`` of them run.
        guidance_scale: classifier-free guidance, 0..30; up to 1 is off.
        width, height: of the repaint in pixels, multiples of 8 in 64..2048.
        sampler: AUTOMATIC1111's name, ``"DPM++ 2M Karras"`` or ``"DPM++ 2M"`` with ``scheduler="Karras"``.
        scheduler: the noise schedule's name, ``"Automatic"`` for the family's own.
        clip_skip: 1 uses the text encoder's last layer (SDXL: its usual one), 2 the one before, ...
        denoising_strength: (0, 1]; at 1 the image's own content (and ``fill``) does not matter where it is repainted.
        image: RGB of any size; the result has its size when ``only_masked``, else width x height.
        mask: of the image's size, white is repainted, 50 % grey decides.
        mask_blur: radius in pixels of the Gaussian that softens the mask's edge, 0..64.
        mask_invert: repaint the black instead.
        fill: what the masked area starts from.
        only_masked: repaint at full width x height only the mask's surroundings, then put them back into the image.
        only_masked_padding: pixels of the image around the mask that come along, 0..1024.
        resize: how ``image`` and ``mask`` become width x height.
        paste_back: put the unmasked pixels of ``image`` back over the result through the blurred mask.
        controls, adapters, references: see their classes.
    """

    prompt: str
    negative_prompt: str = ""
    seed: int | tuple[int, ...] = -1
    batch_size: int = 1
    iterations: int = 1
    steps: int | None = None
    guidance_scale: float | None = None
    width: int | None = None
    height: int | None = None
    sampler: str | None = None
    scheduler: str = "Automatic"
    clip_skip: int = 1
    denoising_strength: float = 1.0
    image: Image.Image | None = None
    mask: Image.Image | None = None
    mask_blur: float = 4.0
    mask_invert: bool = False
    fill: Fill = Fill.ORIGINAL
    only_masked: bool = False
    only_masked_padding: int = 32
    resize: Resize = Resize.STRETCH
    paste_back: bool = True
    controls: tuple[Control, ...] = ()
    adapters: tuple[AdapterUse, ...] = ()
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What an engine takes; ``check`` refuses the rest with a code before anything is computed.

    Attributes:
        controls: kinds of control pictures, empty when none.
        samplers: names taken, empty when the engine has its own only one.
        reference_roles: what it looks at, empty when nothing.
        needs_image: an edit engine has nothing to do without one.
        masks, adapters, negative_prompt: whether it takes them.
        multiple: width and height must be multiples of this.
        least_side, most_side, most_pixels: limits of the repaint.
    """

    controls: frozenset[str] = frozenset()
    samplers: tuple[str, ...] = ()
    reference_roles: frozenset[Role] = frozenset()
    needs_image: bool = False
    masks: bool = True
    adapters: bool = True
    negative_prompt: bool = True
    multiple: int = 8
    least_side: int = 64
    most_side: int = 2048
    most_pixels: int = 2048 * 2048


@dataclass(frozen=True)
class Defaults:
    """What a request's None becomes; width and height in pixels."""

    steps: int
    guidance_scale: float
    sampler: str
    width: int
    height: int


class Stage(StrEnum):
    """Where a batch is."""

    ENCODE = "encode"
    STEPS = "steps"
    DECODE = "decode"


@dataclass(frozen=True)
class Progress:
    """How far a job is: ``fraction`` 0..1 never goes back; ``step`` of ``steps`` in batch ``batch`` of ``batches``."""

    stage: Stage
    step: int
    steps: int
    batch: int
    batches: int
    fraction: float


@dataclass(frozen=True)
class Preview:
    """What the pictures of batch ``batch`` look like after step ``step``: small RGB guesses, one per picture."""

    images: tuple[Image.Image, ...]
    step: int
    batch: int


@dataclass(frozen=True)
class Result:
    """A finished job.

    Attributes:
        images: RGB, batch_size * iterations of them, in the seeds' order.
        seeds: one per picture; the same request with that seed alone gives the same picture, to rounding.
        parameters: everything the pictures depend on but the pixels, JSON-ready; pictures and adapters by SHA-256.
        timings: seconds in ``adapters``, ``encode``, ``steps``, ``decode``, ``composite`` and ``total``.
    """

    images: tuple[Image.Image, ...]
    seeds: tuple[int, ...]
    parameters: Mapping[str, Json]
    timings: Mapping[str, float]


OnProgress = Callable[[Progress], None]
OnPreview = Callable[[Preview], None]
ShouldCancel = Callable[[], bool]


class Engine(Protocol):
    """What every engine is: Stable Diffusion here, edit and try-on models later (docs/engines.md)."""

    @property
    def name(self) -> str:
        """The family's name in the registry."""

    @property
    def capabilities(self) -> Capabilities:
        """What it takes."""

    @property
    def defaults(self) -> Defaults:
        """What a request's None becomes."""

    def generate(
        self,
        request: Generate,
        *,
        on_progress: OnProgress | None = None,
        on_preview: OnPreview | None = None,
        should_cancel: ShouldCancel | None = None,
    ) -> Result:
        """Make the pictures of one job, one job at a time.

        Args:
            request: checked here; nothing is computed when it is refused.
            on_progress: called after each step, from this thread.
            on_preview: called after each step with small guesses; costs about a millisecond a picture.
            should_cancel: asked before the first and after each step.

        Raises:
            InputError: a field is out of range or the engine does not take it.
            Cancelled: ``should_cancel`` said so.
            OutOfMemory: what the job took was freed; the next one runs.
            EngineError: ``engine_busy`` from a second thread, ``not_finite`` when the numbers broke down.
        """

    def describe(self) -> Mapping[str, Json]:
        """What a recipe must hold about the engine: family, device, dtype, threads, versions."""

    def close(self) -> None:
        """Give the memory back; the engine is of no use afterwards."""


@dataclass(frozen=True)
class Part:
    """One component of a family on disk: ``library.class_name.from_pretrained(folder)`` reads it."""

    name: str
    library: str
    class_name: str
    folder: Path


@dataclass(frozen=True)
class FamilyFiles:
    """A family as the engine needs it, without knowing where it came from.

    Attributes:
        name: the family's name.
        parts: its components; ``controlnet`` is the openpose one, ``controlnet_<kind>`` any further.
        inpaint, control_inpaint: names of the diffusers pipelines.
        arguments: of the pipelines' constructors beyond the components; those a constructor lacks are left out.
        defaults: for what a request leaves open.
    """

    name: str
    parts: tuple[Part, ...]
    inpaint: str
    control_inpaint: str
    defaults: Defaults
    arguments: Mapping[str, Json] = field(default_factory=dict)
