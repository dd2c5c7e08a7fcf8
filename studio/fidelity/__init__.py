"""Proof that the garment survived, and a look at the rest. Names load on first use: importing this costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.fidelity.measuring import measure
    from studio.fidelity.report import (
        GarmentReport,
        LimbReport,
        OutlineReport,
        PoseReport,
        Reason,
        Report,
        SeamReport,
        Verdict,
    )
    from studio.fidelity.subject import Subject
    from studio.fidelity.thresholds import Thresholds
    from studio.fidelity.verdict import best_of

_HOME = {
    "GarmentReport": "report", "LimbReport": "report", "OutlineReport": "report", "PoseReport": "report",
    "Reason": "report", "Report": "report", "SeamReport": "report", "Subject": "subject", "Thresholds": "thresholds",
    "Verdict": "report", "best_of": "verdict", "measure": "measuring",
}  # fmt: skip

__all__ = [
    "GarmentReport", "LimbReport", "OutlineReport", "PoseReport", "Reason", "Report", "SeamReport", "Subject",
    "Thresholds", "Verdict", "best_of", "measure",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
