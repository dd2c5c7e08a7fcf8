"""Masks of the merchant's own: which pixels of a photo are the garment, as somebody marked them by hand."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image

from accounts.access import allow_write
from accounts.actors import Actor
from catalog.models import Asset, GarmentMask
from catalog.services.assets import drop_files, lock_asset
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused, TooMuch, from_studio
from imodel_site.lib.images import ROOM
from studio.errors import InputError
from studio.images import open_mask

KIND = "mask"  # of storage keys
MOST_EDITS = 200_000  # bytes of JSON
DEEPEST = 12
# Rooms above this one may refer to a mask's file as well (an order does, to be made again): each says here to which.
_users: list[Callable[[UUID], Iterable[str]]] = []


def register_user(keys: Callable[[UUID], Iterable[str]]) -> None:
    """``keys(merchant_id)`` yields storage keys that must stay; asked by the collector, in the merchant's scope."""
    _users.append(keys)


def mask_of(asset: Asset) -> GarmentMask | None:
    """The merchant's own mask of a photo."""
    found: GarmentMask | None = GarmentMask.objects.select_related("asset").filter(asset_id=asset.pk).first()
    return found


def save_mask(
    *,
    actor: Actor,
    asset: Asset,
    data: bytes,
    base: str | None,
    edits: Mapping[str, Any] | None,
    field: str = "mask",
) -> GarmentMask:
    """Keep a mask as the one that counts for a photo.

    Args:
        asset: the photo's.
        data: a picture of the photo's own size; white, 128 and lighter, is garment.
        base: the ``sha256`` of the mask that was changed, "" for none: somebody else's change in between is not lost.
            None replaces whatever is there. A mask that is there already is no change: it may be sent twice.
        edits: how it came about, for the editor to go on with; kept as it is. None for a mask from elsewhere.
        field: what refusals of the picture name.

    Raises:
        Refused: ``mask_...`` of ``studio.images``, ``mask_empty``; nothing was changed.
        Conflict: ``mask_changed``: it is not the mask that ``base`` names any more. ``photo_rejected``, ``photo_gone``.
        StorageError: ``disk_full``, ``storage_unavailable``; nothing was changed.
    """
    allow_write(actor)
    refuse_rejected(asset)
    png = _cleaned(data, asset, field)
    sha256 = hashlib.sha256(png).hexdigest()
    refuse_changed(asset, base, mine=sha256)  # before the file is stored; asked again under the lock
    key = storage.put(storage.new_key(asset.merchant_id, KIND, "png"), png)
    try:
        return _write(actor, asset, base, key=key, sha256=sha256, edits=dict(edits or {}))
    except BaseException:
        drop_files([key])
        raise


def _write(actor: Actor, asset: Asset, base: str | None, **values: Any) -> GarmentMask:
    """The file before stays where it is: an order may refer to it. What none does is collected."""
    with transaction.atomic():
        locked = lock_asset(asset)
        refuse_rejected(locked)
        refuse_changed(locked, base, mine=values["sha256"])
        merchant = {"merchant_id": asset.merchant_id}
        values |= {"saved_by": actor.user}
        mask, _new = GarmentMask.objects.update_or_create(
            asset=locked, defaults=values, create_defaults=values | merchant
        )
        return mask  # type: ignore[no-any-return]  # Django's


def reset_mask(*, actor: Actor, asset: Asset) -> bool:
    """Take the merchant's own mask away, so that what was proposed counts again; whether there was one."""
    allow_write(actor)
    with transaction.atomic():
        count, _by_model = GarmentMask.objects.filter(asset=lock_asset(asset)).delete()
    return bool(count)


def refuse_changed(asset: Asset, base: str | None, *, mine: str) -> None:
    """Raise Conflict ``mask_changed`` unless the photo's mask is ``base`` (None is any), or ``mine`` already."""
    if base is None:
        return
    there = GarmentMask.objects.filter(asset_id=asset.pk).values_list("sha256", flat=True).first() or ""
    if there not in (base, mine):
        raise Conflict("mask_changed", _("Somebody else changed this mask meanwhile. Load the page to see theirs."))


def refuse_rejected(asset: Asset) -> None:
    """Raise Conflict ``photo_rejected`` for a photo that staff removed."""
    if asset.rejected:
        raise Conflict("photo_rejected", _("Our staff removed this photo. Choose another one."), field="photo")


def read_edits(text: str) -> dict[str, Any]:
    """What an editor sent about its work.

    Raises:
        TooMuch: ``edits_too_large`` (413).
        Refused: ``edits_invalid``: it is no JSON object, or one that is nested too deep.
    """
    if len(text.encode()) > MOST_EDITS:
        raise TooMuch("edits_too_large", _("There is too much to undo in this mask. Save it anew."), status=413)
    try:
        found = json.loads(text or "{}", parse_constant=_no_number, parse_float=_finite)
        json.dumps(found, ensure_ascii=False).encode()  # half a character, which no database takes
    except (ValueError, RecursionError) as error:
        raise _edits_invalid() from error
    if not isinstance(found, dict) or _deeper_than(found, DEEPEST) or "\\u0000" in text:
        raise _edits_invalid()
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)  # NaN and Infinity are no JSON, and no database takes them


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _deeper_than(value: Any, depth: int) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth == 0 or any(_deeper_than(one, depth - 1) for one in inner)
    return False


def _edits_invalid() -> Refused:
    return Refused("edits_invalid", _("The editor sent what can not be kept. Load the page again."), field="edits")


def _cleaned(data: bytes, asset: Asset, field: str) -> bytes:
    """The mask as an eight-bit PNG of ours: black and white, nothing of the file but its pixels."""
    with ROOM:
        try:
            white = open_mask(data, size=(asset.width, asset.height))
        except InputError as error:
            raise from_studio(error, field=field) from error
        if not white.any():
            raise Refused("mask_empty", _("Nothing in the mask is white. White marks the garment."), field=field)
        buffer = io.BytesIO()
        Image.fromarray(white.astype(np.uint8) * 255).save(buffer, "PNG", compress_level=6)
        return buffer.getvalue()


def referred_keys(merchant_id: UUID) -> Iterator[str]:
    """For the collector: every key of kind ``mask`` that a row names, or that another room needs."""
    yield from GarmentMask.objects.values_list("key", flat=True).iterator(chunk_size=2000)
    for keys in _users:
        yield from keys(merchant_id)
