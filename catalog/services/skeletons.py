"""How somebody stands on a photo: what the look saw, and what its merchant says instead (docs/pose.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Merchant
from catalog.models import Asset, Look, PhotoSkeleton, Pose
from catalog.services import libraries
from imodel_site.lib.errors import Conflict, Refused, from_studio
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.wide_stack import on_wide_stack
from studio.errors import StudioError
from studio.pose.library import POSES
from studio.pose.types import LANDMARKS, WEAK_FROM
from studio.shoot.own import pose_from
from studio.shoot.presets import CROP_WORDS, OwnPose

Rows = list[list[float]]
# A joint may lie this many sides of the photo outside of it: a figure that is cut off does.
FARTHEST = 3.0
LEAST_KNOWN = 4
SAME = 0.01  # pixels within which a saved joint is the one that was seen
PREVIEW = (512, 768)
LAYER_SIDE = 1280
PLACED = "placed"


@dataclass(frozen=True)
class Standing:
    """What is known of a photo.

    Attributes:
        status: ``ready``, ``waiting``, ``failed`` or ``none`` (nobody has looked), of the look.
        seen: 33 rows of x, y, z, confidence, state; None while nothing was seen.
        saved: the merchant's own, None for none.
    """

    asset: Asset
    status: str
    seen: list[list[Any]] | None
    saved: PhotoSkeleton | None

    @property
    def start(self) -> list[list[Any]]:
        """What a reset goes back to: what was seen, else a figure that stands there."""
        return self.seen or [[*row, "invented"] for row in _standing(self.asset)]

    @property
    def rows(self) -> list[list[Any]]:
        """What counts now, each with its state: that of what was seen, or ``placed``."""
        return _with_states(self.saved.landmarks, self.start) if self.saved else self.start

    @property
    def version(self) -> str:
        """Changes with each save; empty for none."""
        return version_of(self.saved)


def standing_on(asset: Asset) -> Standing:
    """What is known of how somebody stands on a photo."""
    look = Look.objects.filter(asset=asset).first()
    pose = look.found.get("pose") if look is not None and look.status == Status.SUCCEEDED else None
    saved = PhotoSkeleton.objects.filter(asset=asset).first()
    return Standing(asset, _status(look), pose["rows"] if pose else None, saved)


def _status(look: Look | None) -> str:
    if look is None:
        return "none"
    if look.status == Status.SUCCEEDED:
        return "ready"
    return "failed" if look.ended else "waiting"


def version_of(saved: PhotoSkeleton | None) -> str:
    """Of a row that may be none."""
    return "" if saved is None else saved.updated_at.isoformat()


def save_skeleton(*, asset: Asset, landmarks: object, base: str | None = None) -> PhotoSkeleton:
    """Say how somebody stands on a photo.

    Args:
        landmarks: 33 rows, see :func:`checked`.
        base: the version that was edited, empty for none; None overwrites whatever is there.

    Raises:
        Refused: ``skeleton_...``; Conflict: ``skeleton_changed``, ``photo_rejected``.
    """
    _refuse_rejected(asset)
    rows = checked(landmarks, asset)
    try:
        with transaction.atomic():
            there = PhotoSkeleton.objects.select_for_update().filter(asset=asset).first()
            if base is not None and base != version_of(there):
                raise _changed()
            row = there or PhotoSkeleton(merchant_id=asset.merchant_id, asset=asset)
            row.landmarks = rows
            row.save()
            return row
    except IntegrityError:  # somebody else's first one
        raise _changed() from None


def reset_skeleton(*, asset: Asset) -> None:
    """What was seen counts again."""
    PhotoSkeleton.objects.filter(asset=asset).delete()


def place(*, asset: Asset, pose: Pose, landmarks: object, mirror: bool, keep_trunk: bool) -> Rows:
    """A pose of the library on the figure that stands on the photo; nothing is saved.

    Raises:
        Refused: ``skeleton_...``, ``pose_not_ready``, ``pose_unknown``.
    """
    from studio.shoot.by_hand import placed

    figure, choice, size = _tuples(checked(landmarks, asset)), choice_of(pose), size_of(asset)
    try:
        rows = on_wide_stack(lambda: placed(choice, figure, size, mirror=mirror, keep_trunk=keep_trunk))
    except StudioError as error:
        raise from_studio(error, field="pose") from error
    return rows


def keep_as_pose(*, merchant: Merchant, asset: Asset, title: str, landmarks: object) -> Pose:
    """A pose of the merchant's own library, whose picture is the skeleton."""
    rows = checked(landmarks, asset)
    return libraries.make_drawn_pose(merchant=merchant, title=title, landmarks=rows, file=_framed(asset, rows))


def _framed(asset: Asset, rows: Rows) -> bytes:
    return control_picture(asset=asset, landmarks=rows, crop="head-to-toe")


def control_picture(*, asset: Asset, landmarks: object, crop: str) -> bytes:
    """The PNG of the skeleton as the engine gets it.

    Raises:
        Refused: ``crop_unknown``, ``skeleton_...``, ``canvas_too_large``.
    """
    from studio.shoot.by_hand import control_png

    if crop not in CROP_WORDS:
        raise Refused("crop_unknown", _("Choose one of those that are offered."), field="crop")
    figure, size = _tuples(checked(landmarks, asset)), size_of(asset)
    try:
        return on_wide_stack(lambda: control_png(figure, size, crop=crop, shown=PREVIEW))
    except StudioError as error:
        raise from_studio(error, field="landmarks") from error


def layer_picture(standing: Standing) -> bytes:
    """A transparent PNG of what counts now, to lie over the photo."""
    from studio.shoot.by_hand import layer_png

    figure, size = _tuples(standing.rows), size_of(standing.asset)
    return on_wide_stack(lambda: layer_png(figure, size, side=min(LAYER_SIDE, max(size))))


def choice_of(pose: Pose) -> str | OwnPose:
    """A library pose as the studio takes it."""
    if pose.landmarks is not None:
        return pose_from({"name": pose.name, "landmarks": pose.landmarks})
    own = pose.merchant_id is not None
    if own:
        words = _("This pose is still being read from its photo. Wait a moment, or choose another one.")
        raise Refused("pose_not_ready", words, field="pose", retryable=True)
    if pose.name not in POSES:
        raise Refused("pose_unknown", _("This pose is no longer there. Choose another one."), field="pose")
    return str(pose.name)


def size_of(asset: Asset) -> tuple[int, int]:
    """Width and height in pixels."""
    return asset.width, asset.height


def checked(landmarks: object, asset: Asset) -> Rows:
    """33 rows of x, y, z, confidence in the photo's pixels; a fifth column, the state, is not read.

    Raises:
        Refused: ``skeleton_wrong_length``, ``skeleton_not_numbers``, ``skeleton_not_finite``,
            ``skeleton_out_of_range``, ``skeleton_too_small``.
    """
    if not (isinstance(landmarks, list | tuple) and len(landmarks) == LANDMARKS):
        raise _refused("skeleton_wrong_length", _("A skeleton has %(n)d joints.") % {"n": LANDMARKS})
    rows = [_row(row) for row in landmarks]
    farthest = FARTHEST * max(size_of(asset))
    outside = any(abs(value) > farthest for row in rows for value in row[:3])
    if outside or any(not 0 <= row[3] <= 1 for row in rows):
        words = _("A joint lies far outside of the photo, or its confidence is not from 0 to 1.")
        raise _refused("skeleton_out_of_range", words)
    known = [row for row in rows if row[3] >= WEAK_FROM]
    if len(known) < LEAST_KNOWN or max(_spread(known, 0), _spread(known, 1)) < 1:
        words = _("At least %(n)d joints, apart from each other, must be there. Move some to where they belong.")
        raise _refused("skeleton_too_small", words % {"n": LEAST_KNOWN})
    return rows


def _row(row: object) -> list[float]:
    if not (isinstance(row, list | tuple) and len(row) in (4, 5)):
        raise _refused("skeleton_wrong_length", _("Each joint is x, y, z and its confidence."))
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in row[:4]):
        raise _refused("skeleton_not_numbers", _("Each joint is x, y, z and its confidence, all numbers."))
    # A whole number of 400 digits is finite and still no float.
    if any(abs(v) > 1e12 if isinstance(v, int) else not math.isfinite(v) for v in row[:4]):
        raise _refused("skeleton_not_finite", _("The skeleton has a coordinate that is not a finite number."))
    return [float(value) for value in row[:4]]


def _spread(rows: Rows, axis: int) -> float:
    values = [row[axis] for row in rows]
    return max(values) - min(values)


def _refused(code: str, words: str) -> Refused:
    return Refused(code, words, field="landmarks")


def _changed() -> Conflict:
    return Conflict("skeleton_changed", _("Somebody else has changed this pose meanwhile. Load the page again."))


def _refuse_rejected(asset: Asset) -> None:
    if asset.rejected:
        raise Conflict("photo_rejected", _("This photo was removed. Choose another one."), field="photo")


def _standing(asset: Asset) -> Rows:
    from studio.shoot.by_hand import standing

    size = size_of(asset)
    return on_wide_stack(lambda: standing(size))


def _with_states(rows: Rows, start: list[list[Any]]) -> list[list[Any]]:
    return [[*row[:4], was[4] if _same(row, was) else PLACED] for row, was in zip(rows, start, strict=True)]


def _same(row: list[float], was: list[Any]) -> bool:
    return all(abs(a - b) <= SAME for a, b in zip(row[:2], was[:2], strict=True)) and abs(row[3] - was[3]) < 1e-3


def _tuples(rows: list[list[Any]]) -> tuple[tuple[float, float, float, float], ...]:
    return tuple((float(x), float(y), float(z), float(sure)) for x, y, z, sure, *_state in rows)
