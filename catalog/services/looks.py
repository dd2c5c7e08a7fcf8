"""What a look at a photo found: its files stored, and the poses that waited for it filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models.moderation import UNDECIDED, Moderation, state_after_look
from catalog.models import Asset, Look, Pose
from imodel_site.lib import storage
from imodel_site.lib.jobs import services as jobs

KIND = "look"  # of storage keys
# The room above keeps the queue of what staff are to look at; it says here what to call.
_watchers: list[Callable[[Asset], None]] = []


def register_watcher(watch: Callable[[Asset], None]) -> None:
    """``watch(asset)`` is called in the transaction in which the automatic look flags an upload."""
    _watchers.append(watch)


def keep_finding(*, asset: Asset, finding: Mapping[str, Any] | None) -> None:
    """Write down what the first look said, unless staff have decided meanwhile."""
    state = state_after_look(finding)
    changed = state and Asset.objects.filter(pk=asset.pk, moderation__in=UNDECIDED).update(**state)
    if changed and state["moderation"] == Moderation.FLAGGED:
        asset.refresh_from_db(fields=["moderation", "findings"])
        for watch in _watchers:
            watch(asset)


def store(*, merchant_id: UUID, done: Mapping[str, Any], read: Callable[[str], bytes]) -> dict[str, Any]:
    """Put the executor's files under fresh keys; returns what :attr:`Look.found` holds.

    A worker that dies before the row is written leaves files that the collector finds.
    """

    def keep(path: str) -> str:
        return storage.put(storage.new_key(merchant_id, KIND, "png"), read(path))

    parts = [
        {"part": p["part"], "score": p["score"], "box": p["box"], "share": p["share"], "key": keep(p["file"])}
        for p in done.get("parts", ())
    ]
    skeleton = (done.get("files") or {}).get("skeleton")
    return {
        "parts": parts,
        "best": done.get("best"),
        "pose": done.get("pose"),
        "skeleton": keep(skeleton) if skeleton else None,
    }


def fill_poses(*, asset: Asset, found: Mapping[str, Any]) -> int:
    """Give the merchant's poses that were made of this photo their landmarks; how many."""
    rows = landmarks_in(found)
    waiting = Pose.objects.filter(asset=asset, landmarks__isnull=True)
    return int(waiting.update(landmarks=rows)) if rows else 0


def landmarks_in(found: Mapping[str, Any]) -> list[list[float]] | None:
    """33 rows of x, y, z, confidence; None when nobody was seen."""
    pose = found.get("pose")
    return [[float(value) for value in row[:4]] for row in pose["rows"]] if pose else None


@transaction.atomic
def look_again(*, asset: Asset) -> Look:
    """A look that failed is tried once more; a photo that has none gets one."""
    look = Look.objects.filter(asset=asset).first()
    if look is None:
        look = Look(merchant_id=asset.merchant_id, asset=asset)
        jobs.enqueue(look)
    else:
        jobs.retry(look)
    return look
