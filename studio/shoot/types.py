"""What a shoot takes and gives, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import Cancelled
from studio.pose.types import Pose
from studio.shoot.presets import Kind, Landmarks, OwnPose, Persona, Scene

if TYPE_CHECKING:
    from studio.fidelity import Report

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Order:
    """One shoot, as asked for. Only the photo is needed, and not even that for a text shoot.

    Attributes:
        kind: what is repainted; see docs/shoot.md.
        photo: upright RGB (``studio.images.open_photo``), None only for :attr:`Kind.TEXT`.
        mask: bool over the photo, True = garment; None proposes one.
        garment: which proposal is meant: ``"auto"``, ``"upper"``, ``"lower"`` or ``"full"``.
        persona, scene: names of presets, or the merchant's own.
        crop: a preset's name.
        pose: a name of the pose library, ``"as-photographed"``, or the merchant's own.
        photo_pose: how the body stands in the photo as its merchant says, for ``"as-photographed"``: 33 rows of x, y,
            z, confidence in the photo's pixels, taken as they are; None takes what is detected.
        outfit: a name of the outfits, or free words, for an outfit change or a text shoot.
        count: pictures to deliver, 1..8.
        best_of: candidates made for each of them, 1..8; the report picks.
        seed: of the first candidate, 0..2**32-1; the others count on.
        size: (width, height) of the delivered pictures in pixels, 2:3.
        engine: a family of ``studio.weights`` that generates.
        steps, guidance_scale, sampler: None for the family's defaults.
        adapters: (safetensors file, weight) of LoRAs.
        worn: how the prompt calls the photo's garment, such as ``"zkv17 dress"`` for an adapter that knows it by that
            word; None reads colour and cut off the photo. Where the garment is painted new it is ``outfit`` that says
            so.
    """

    kind: Kind = Kind.MODEL
    photo: Image.Image | None = None
    mask: Mask | None = None
    garment: str = "auto"
    persona: str | Persona = "amelie"
    scene: str | Scene = "white-studio"
    pose: str | OwnPose = "as-photographed"
    photo_pose: Landmarks | None = None
    crop: str = "head-to-toe"
    outfit: str = "red-dress"
    count: int = 1
    best_of: int = 1
    seed: int = 0
    size: tuple[int, int] = (512, 768)
    engine: str = "mini"
    steps: int | None = None
    guidance_scale: float | None = None
    sampler: str | None = None
    adapters: tuple[tuple[Path, float], ...] = ()
    worn: str | None = None


@dataclass(frozen=True)
class Table:
    """The photo laid out on the delivered frame, ready to be repainted: the light table of one shoot.

    Attributes:
        source: RGB at the delivered size: the photo resampled, its surroundings filled in.
        photographed: bool, True where ``source`` is the photo and not the filled-in canvas.
        garment: bool, the garment on the frame; all False for a text shoot.
        kept: bool, pixels of the source that the finished picture keeps (before the seam is softened).
        locked: bool, the eroded part of ``garment`` that must come back pixel for pixel; all False when nothing is
            kept.
        found: the completed pose of the photo, on the frame.
        asked: the pose that is asked for, on the frame.
    """

    source: Image.Image
    photographed: Mask
    garment: Mask
    kept: Mask
    locked: Mask
    found: Pose | None
    asked: Pose


@dataclass(frozen=True)
class Shot:
    """One finished picture.

    Attributes:
        image: RGB at the delivered size.
        report: what :func:`studio.fidelity.measure` found.
        recipe: JSON-ready; replaying it on the same machine gives the same bytes.
        seed: its own.
    """

    image: Image.Image
    report: Report
    recipe: Mapping[str, Any]
    seed: int


@dataclass(frozen=True)
class Outcome:
    """A finished shoot: the delivered shots, the table they were made on, and where the time went (seconds a stage)."""

    shots: tuple[Shot, ...]
    table: Table
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Listener:
    """How a caller follows a shoot.

    Attributes:
        on_progress: (stage's name, fraction 0..1 of the whole).
        on_preview: small pictures of what is being painted.
        should_cancel: True stops within one step.
    """

    on_progress: Callable[[str, float], None] | None = None
    on_preview: Callable[[tuple[Image.Image, ...]], None] | None = None
    should_cancel: Callable[[], bool] | None = None

    def say(self, stage: str, fraction: float) -> None:
        """Report progress, if anybody listens."""
        if self.on_progress is not None:
            self.on_progress(stage, fraction)

    def stop_if_asked(self) -> None:
        """Raise :class:`Cancelled` when the caller wants no more of it."""
        if self.should_cancel is not None and self.should_cancel():
            raise Cancelled
