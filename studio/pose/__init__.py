"""Poses: found, completed, retargeted, fitted, drawn. Names load on first use, so that importing this costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from studio.pose.types import LANDMARKS, J, JointState, Pose

if TYPE_CHECKING:
    from studio.pose.complete import complete
    from studio.pose.detect import Detection, MediaPipeDetector, PoseDetector, detect, find_pose
    from studio.pose.fit import fit_to_mask
    from studio.pose.frame import Canvas, Crop, canvas_for
    from studio.pose.metrics import oks, pck
    from studio.pose.openpose import render_skeleton, to_18
    from studio.pose.openpose_json import from_json, to_json
    from studio.pose.retarget import mirrored, retarget

_HOME = {
    "complete": "complete", "detect": "detect", "find_pose": "detect", "Detection": "detect",
    "MediaPipeDetector": "detect", "PoseDetector": "detect", "fit_to_mask": "fit", "Canvas": "frame", "Crop": "frame",
    "canvas_for": "frame", "oks": "metrics", "pck": "metrics", "render_skeleton": "openpose", "to_18": "openpose",
    "from_json": "openpose_json", "to_json": "openpose_json", "retarget": "retarget", "mirrored": "retarget",
}  # fmt: skip

__all__ = [
    "LANDMARKS", "Canvas", "Crop", "Detection", "J", "JointState", "MediaPipeDetector", "Pose", "PoseDetector",
    "canvas_for", "complete", "detect", "find_pose", "fit_to_mask", "from_json", "mirrored", "oks", "pck",
    "render_skeleton", "retarget", "to_18", "to_json",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
