"""``propose``: what a photo offers, before anything is ordered. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from studio.files import write_all
from studio.images import open_photo
from studio.pose.openpose import skeleton_png
from studio.pose.types import Pose
from studio.segmentation.mask_files import encode_mask
from studio.segmentation.proposals import Proposal
from studio.serve.fields import Fields
from studio.serve.inspecting import findings
from studio.serve.jobs import Job
from studio.serve.outputs import make_folder
from studio.serve.resident import Resident
from studio.shoot.prepare import survey
from studio.shoot.recipe import pose_rows


def propose(job: Job, resident: Resident) -> Mapping[str, Any]:
    """The photo's garments as masks, and its pose."""
    fields = Fields("message", job.body)
    path, out = fields.path("photo"), fields.path("out")
    fields.finish()
    photo = open_photo(path)
    make_folder(out)
    job.stop_if_asked()
    job.progress("pose and mask", 0.1)
    found = survey(photo, resident.detector())
    job.stop_if_asked()
    contents: dict[Any, Any] = {
        out / f"{item.part.value}.png": encode_mask(item.mask) for item in found.proposals.items
    }
    if found.pose is not None:
        contents[out / "skeleton.png"] = skeleton_png(found.pose)
    write_all(contents)
    return {
        "parts": [_part(item, out) for item in found.proposals.items],
        "best": found.best.part.value if found.best else None,
        "pose": _pose(found.pose),
        "files": {"skeleton": str(out / "skeleton.png") if found.pose else None},
        "finding": findings([photo], resident, job.id)[0],
    }


def _part(item: Proposal, out: Path) -> dict[str, Any]:
    rows, columns = np.flatnonzero(item.mask.any(axis=1)), np.flatnonzero(item.mask.any(axis=0))
    return {
        "part": item.part.value,
        "score": round(float(item.score), 4),
        "file": str(out / f"{item.part.value}.png"),
        "box": [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1],
        "share": round(float(item.mask.mean()), 6),
    }


def _pose(pose: Pose | None) -> dict[str, Any] | None:
    return None if pose is None else {"rows": pose_rows(pose), "size": list(pose.size)}
