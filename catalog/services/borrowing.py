"""Photos that a program lends for a question: cut out by clicks, or searched for a pose, and let go an hour later.

They are assets like all others, so that the same bytes asked about twice are read once; no garment has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef
from django.utils import timezone
from PIL import Image

from accounts.models import Merchant
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Embedding, GarmentPhoto, Look, Persona, Pose, Scene
from catalog.services import decoding, embeddings, looks
from catalog.services.assets import add_asset, release_asset
from imodel_site.lib.ids import earliest
from imodel_site.lib.jobs.model import Status
from studio.segmentation.onnx_decode import Prompt

KEPT = timedelta(hours=1)
OLDEST = timedelta(days=3)  # of those that are looked at: a chore that failed for so long is a matter for the operator
SIDE, PLANE = 1024, 256  # pixels of SAM's square, and of its low-resolution answers
Rows = list[list[Any]]


def borrow(merchant: Merchant, data: bytes) -> Asset:
    """The photo among the merchant's files; as ``add_asset`` refuses."""
    return add_asset(merchant=merchant, file=data)[0]


def embedding_of(asset: Asset) -> Embedding | None:
    """Its embedding, asked for at once; None where nothing is embedded."""
    return embeddings.want(asset, soon=True)


def look_at(asset: Asset) -> Look:
    """The look at it: the one that is there or under way, or another one after one that failed."""
    found = Look.objects.filter(asset=asset).first()
    failed = found is None or found.status in (Status.FAILED, Status.CANCELLED)
    return looks.look_again(asset=asset) if failed else found


def seen_joints(look: Look) -> Rows | None:
    """33 rows of x, y, z, confidence, state in pixels of what was seen; None when nobody was."""
    pose = look.found.get("pose")
    return None if pose is None else list(pose["rows"])


def candidates(
    asset: Asset, embedding: Embedding, *, positive: Sequence[Any], negative: Sequence[Any]
) -> list[tuple[Image.Image, float]]:
    """Three masks (L, 0 or 255, of the photo's size) with SAM's own estimate of each, for clicks in the photo's pixels.

    Raises:
        Refused: as ``decoding.answer``.
    """
    points = [(float(x), float(y)) for x, y in (*positive, *negative)]
    labels = [1] * len(positive) + [0] * len(negative)
    size = (asset.width, asset.height)
    answer = decoding.answer(embedding, Prompt(points, labels), size=size)
    # The first of the four is its single answer; the others are the candidates.
    return [(enlarged(answer.low_res[k], size), float(answer.scores[k])) for k in (1, 2, 3)]


def enlarged(logits: Any, size: tuple[int, int]) -> Image.Image:
    """A plane of logits over the padded square as a mask of the photo's size; above 0 is the object."""
    scale = SIDE / max(size) * PLANE / SIDE
    plane = Image.fromarray(np.asarray(logits, np.float32))
    box = (0.0, 0.0, size[0] * scale, size[1] * scale)
    full = plane.resize(size, Image.Resampling.BILINEAR, box=box)
    return Image.fromarray((np.asarray(full) > 0).astype(np.uint8) * 255)


def let_go_unused() -> int:
    """Assets that came an hour ago or more and that no row refers to; how many went. Hourly, by the sweep."""
    now = timezone.now()
    with unscoped("photos that were lent"):
        rows = Asset.objects.filter(pk__gte=earliest(now - OLDEST), pk__lt=earliest(now - KEPT))
        for model in (GarmentPhoto, Persona, Scene, Pose):
            rows = rows.exclude(Exists(model.objects.filter(asset=OuterRef("pk"))))
        found = list(rows.values_list("merchant_id", "pk"))
    gone = 0
    for merchant_id, pk in found:
        with merchant_scope(merchant_id):
            gone += release_asset(pk)
    return gone
