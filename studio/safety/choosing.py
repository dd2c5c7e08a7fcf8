"""Which checker looks: the best one whose weights are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.errors import WeightsError
from studio.safety.types import SafetyChecker
from studio.weights.store import locate

if TYPE_CHECKING:
    from studio.pose.detect import PoseDetector
    from studio.weights.types import LocatedWeights

FAMILY = "safety_checker"


def bring_up(detector: PoseDetector | None, *, device: str = "cpu") -> SafetyChecker:
    """The checker to use from now on.

    Args:
        detector: finds the figure that the rules measure; None lets them judge the whole picture.
        device: torch's, for the checker with weights.

    Raises:
        WeightsError: weights are here, but damaged: rules must not stand in for them unnoticed.
    """
    located = _located()
    if located is None:
        from studio.safety.rules import RulesChecker

        return RulesChecker(detector)
    from studio.safety.concepts import ConceptChecker

    return ConceptChecker.load(located, device=device)


def _located() -> LocatedWeights | None:
    try:
        return locate(FAMILY)
    except WeightsError as error:
        if error.code == "weights_missing":
            return None
        raise
