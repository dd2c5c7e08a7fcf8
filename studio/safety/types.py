"""What a first look says, and the one interface behind which every checker stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image


@dataclass(frozen=True)
class Reason:
    """One thing that was seen.

    Attributes:
        code: stable, snake_case: ``much_skin``, ``blank``, ``odd_shape``, ``concept_<n>``, ``special_care_<n>``.
        score: how much of it; shares are 0..1, concepts are the distance above their threshold (a cosine).
    """

    code: str
    score: float


@dataclass(frozen=True)
class Finding:
    """The look at one picture. ``reasons`` may name what did not suffice to flag it.

    Attributes:
        flagged: whether a person should look.
        checker: which checker said so, with its version: ``rules-1``, ``diffusers-clip``.
    """

    flagged: bool
    reasons: tuple[Reason, ...]
    checker: str

    def to_json(self) -> dict[str, Any]:
        """For a message or a row."""
        reasons = [{"code": reason.code, "score": round(reason.score, 4)} for reason in self.reasons]
        return {"flagged": self.flagged, "reasons": reasons, "checker": self.checker}


class SafetyChecker(Protocol):
    """Looks at finished or uploaded pictures; changes none of them."""

    def look(self, pictures: Sequence[Image.Image]) -> list[Finding]:
        """One finding for each RGB picture, in their order.

        Raises:
            EngineError, WeightsError: it could not look.
        """
        ...
