"""The proof itself: inside the lock the result is the photo, pixel for pixel."""

from __future__ import annotations

import numpy as np

from studio.fidelity.report import Gap, GarmentReport
from studio.fidelity.subject import Subject

NO_GARMENT = Gap("no_garment", "No garment was marked, so there is none to compare.", False)
NO_SOURCE = Gap("no_source", "There is no photo to compare with.", False)
NO_LOCK = Gap("garment_too_thin", "The garment is too thin to keep any of its own pixels.", True)


def compare_garment(subject: Subject) -> GarmentReport:
    """Locked-pixel ratio and the largest difference inside the lock; exact, no tolerance."""
    if subject.garment is None or subject.locked is None:
        return GarmentReport(gap=NO_GARMENT)
    if subject.source is None:
        return GarmentReport(gap=NO_SOURCE)
    pixels = int(np.count_nonzero(subject.locked))
    if pixels == 0:
        return GarmentReport(gap=NO_LOCK)
    # int16: a difference of uint8 wraps around.
    difference = np.abs(subject.result[subject.locked].astype(np.int16) - subject.source[subject.locked])
    equal = int(np.count_nonzero(difference.max(axis=1) == 0))
    coverage = pixels / int(np.count_nonzero(subject.garment))
    return GarmentReport(equal / pixels, int(difference.max()), pixels, coverage)
