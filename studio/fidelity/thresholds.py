"""From which figure on a picture needs a second look, and from which it is refused; see docs/fidelity.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """The lines the verdict is drawn by; ``check`` asks a person to look, ``reject`` refuses.

    Attributes:
        lock_share: how far a garment mask is eroded when no lock is given, as a share of the picture's longer side.
        coverage_check: least share (0..1) of the garment that the lock must hold for the proof to speak of the garment.
        seam_check, seam_reject: mean CIEDE2000 of the ring of repainted cloth against the photo's.
        step_check, step_reject: mean CIEDE2000 by which the step across the lock's edge is larger than in the photo.
        pck_check, pck_reject: least share (0..1) of joints within 0.2 torso diagonals of where they were asked.
        outline_check: least intersection over union (0..1) of the garment found in the result with the photo's.
        sleeve_check: change of a sleeve's length, in arm lengths (shoulder to wrist).
        hem_check: change of the hem's height, in torso diagonals.
    """

    lock_share: float = 0.006
    coverage_check: float = 0.5
    seam_check: float = 6.0
    seam_reject: float = 14.0
    step_check: float = 5.0
    step_reject: float = 12.0
    pck_check: float = 0.75
    pck_reject: float = 0.4
    outline_check: float = 0.85
    sleeve_check: float = 0.12
    hem_check: float = 0.08
