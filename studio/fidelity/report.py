"""What the report holds, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What to do with the picture."""

    GOOD = "good"
    CHECK = "check"
    REJECT = "reject"


@dataclass(frozen=True)
class Gap:
    """Why something was not measured.

    Attributes:
        code: stable, snake_case.
        message: one sentence for a merchant.
        asked: True when it should have been measured and could not be; False when nobody asked for it.
    """

    code: str
    message: str
    asked: bool


@dataclass(frozen=True)
class Reason:
    """One thing that speaks for or against the picture, in plain words.

    Attributes:
        code: stable, snake_case; programs match on it.
        message: one sentence for a merchant.
        weight: what this alone makes of the picture; GOOD for praise and remarks.
    """

    code: str
    message: str
    weight: Verdict


@dataclass(frozen=True)
class GarmentReport:
    """The garment's own pixels; all None where ``gap`` says why.

    Attributes:
        locked_ratio: 0..1, share of the lock's pixels that equal the source in all three channels.
        max_difference: 0..255, the largest difference of one channel inside the lock.
        pixels: how many pixels the lock holds.
        coverage: 0..1, share of the garment mask that the lock holds.
    """

    locked_ratio: float | None = None
    max_difference: int | None = None
    pixels: int | None = None
    coverage: float | None = None
    gap: Gap | None = None


@dataclass(frozen=True)
class SeamReport:
    """The ring of repainted cloth between the lock and the garment's edge; all None where ``gap`` says why.

    Attributes:
        delta_e_mean, delta_e_p95: CIEDE2000 of result against source in the ring, mean and 95th percentile.
        step: mean CIEDE2000 by which the result's step across the lock's edge exceeds the source's own.
        pixels: how many pixels the ring holds.
    """

    delta_e_mean: float | None = None
    delta_e_p95: float | None = None
    step: float | None = None
    pixels: int | None = None
    gap: Gap | None = None


@dataclass(frozen=True)
class PoseReport:
    """The pose found again against the one asked; both None where ``gap`` says why.

    Attributes:
        pck: 0..1, share of the asked joints in the frame found within 0.2 torso diagonals.
        oks: 0..1, object keypoint similarity over the same joints.
        joints: how many joints were compared.
    """

    pck: float | None = None
    oks: float | None = None
    joints: int | None = None
    gap: Gap | None = None


@dataclass(frozen=True)
class LimbReport:
    """Limbs that vanished or multiplied; both None where ``gap`` says why.

    Attributes:
        missing: names of asked limbs with nobody where they were asked nor where they were found, e.g. "left forearm".
        extra: "arm", "leg" or "hand" for each skin-coloured part that belongs to no limb of the skeleton.
    """

    missing: tuple[str, ...] | None = None
    extra: tuple[str, ...] | None = None
    gap: Gap | None = None


@dataclass(frozen=True)
class OutlineReport:
    """The garment's outline in the result against the source's mask; all None where ``gap`` says why.

    Attributes:
        iou: 0..1, intersection over union of the garment as found again in the result with the source's mask.
        sleeve_difference: change of the sleeve that changed more, in arm lengths; positive is longer. None for no arm.
        hem_difference: change of the hem, in torso diagonals; positive is lower. None when the frame cuts the hem off.
    """

    iou: float | None = None
    sleeve_difference: float | None = None
    hem_difference: float | None = None
    gap: Gap | None = None


Section = GarmentReport | SeamReport | PoseReport | LimbReport | OutlineReport


@dataclass(frozen=True)
class Report:
    """Everything that was measured of one picture, and what it comes to."""

    garment: GarmentReport
    seam: SeamReport
    pose: PoseReport
    limbs: LimbReport
    outline: OutlineReport
    verdict: Verdict
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, object]:
        """Plain JSON values: one object for each section, ``verdict`` and ``reasons``.

        Each section also has ``measured`` (bool) and ``reason`` (a sentence, null when measured).
        """
        sections = {name: _section(getattr(self, name)) for name in ("garment", "seam", "pose", "limbs", "outline")}
        reasons = [{"code": reason.code, "message": reason.message} for reason in self.reasons]
        return {**sections, "verdict": self.verdict.value, "reasons": reasons}


def _section(section: Section) -> dict[str, object]:
    values = {name: _plain(name, value) for name, value in vars(section).items() if name != "gap"}
    gap = section.gap
    return {**values, "measured": gap is None, "reason": None if gap is None else gap.message}


def _plain(name: str, value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    # Rounding would turn one changed pixel in a million into none.
    return round(value, 4) if isinstance(value, float) and name != "locked_ratio" else value
