"""Pictures in: checked, stored once per merchant, looked at; and out again when nothing needs them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Merchant
from catalog.models import Asset, Embedding, GarmentMask, GarmentPhoto, Look, Persona, Pose, Scene
from imodel_site.lib import images, storage
from imodel_site.lib.errors import Conflict, TooMuch
from imodel_site.lib.images import Taken
from imodel_site.lib.jobs.services import enqueue
from imodel_site.lib.said import said

log = logging.getLogger("imodel.catalog")

KIND = "asset"  # of storage keys
# Rooms above this one may need an asset's file too (a running shoot does): each says so here.
_users: list[Callable[[Asset], bool]] = []


def register_user(needs: Callable[[Asset], bool]) -> None:
    """``needs(asset)`` is asked, in the merchant's scope, before an asset that no row refers to is deleted."""
    _users.append(needs)


def add_asset(*, merchant: Merchant, file: Any) -> tuple[Asset, bool]:
    """Take a picture into the merchant's files.

    Args:
        merchant: whose scope is open.
        file: bytes, or an uploaded file.

    Returns:
        The asset, and whether it is new: the same bytes are stored once.

    Raises:
        Refused: ``photo_...`` (studio.images), ``photo_rejected``, ``quota_full``.
        StorageError: ``disk_full``, ``storage_unavailable``; nothing was kept.
    """
    data = images.read_upload(file)
    found = Asset.objects.filter(sha256=hashlib.sha256(data).hexdigest()).first()
    if found is not None:
        _refuse_rejected(found)
        return found, False
    refuse_when_full(merchant)
    taken = images.take_picture(data)
    with _files(merchant.pk, taken) as keys:
        return _write_row(merchant, taken, keys)


def _refuse_rejected(asset: Asset) -> None:
    if asset.rejected:
        words = _("This very photo was removed by moderation and can not be added again. Choose another one.")
        raise Conflict("photo_rejected", words, field="photo")


# --- a merchant's room ------------------------------------------------------------------------------------------------
def refuse_when_full(merchant: Merchant, *, amount: int = 1) -> None:
    """Before any work; :func:`take_room` decides.

    Args:
        amount: bytes that are to be added, as far as that is known.

    Raises:
        TooMuch: ``quota_full`` (413).
    """
    used = Merchant.objects.values_list("used_bytes", flat=True).get(pk=merchant.pk)
    if used + amount > quota_of(merchant):
        raise _full(merchant)


def take_room(merchant: Merchant, amount: int) -> None:
    """Count bytes as the merchant's, in the transaction that writes their row; last, for it locks the merchant's row.

    Raises:
        TooMuch: ``quota_full`` (413): they do not fit; nothing was counted.
    """
    room = Merchant.objects.filter(pk=merchant.pk, used_bytes__lte=quota_of(merchant) - amount)
    if not room.update(used_bytes=F("used_bytes") + amount):
        raise _full(merchant)


def give_room_back(merchant_id: UUID, amount: int) -> None:
    """Bytes that :func:`take_room` counted are the merchant's no more, in the transaction that deletes their row."""
    if amount:
        Merchant.objects.filter(pk=merchant_id).update(used_bytes=F("used_bytes") - amount)


def quota_of(merchant: Merchant) -> int:
    """Bytes that a merchant's files may take."""
    return settings.QUOTA_BYTES if merchant.quota_bytes is None else int(merchant.quota_bytes)


def _full(merchant: Merchant) -> TooMuch:
    words = gettext_noop(
        "Your %(size)s MB of storage are full. Delete photos, pictures or adapters you no longer need."
    )
    return TooMuch("quota_full", said(words, size=quota_of(merchant) // 2**20), status=413)


@contextmanager
def _files(merchant_id: UUID, taken: Taken) -> Iterator[dict[str, str]]:
    """Files before the row; when there will be no row, no file either. A crash in between is for the collector."""
    keys = {"original": storage.new_key(merchant_id, KIND, taken.suffix)}
    keys |= {size: storage.new_key(merchant_id, KIND, "webp") for size in taken.thumbs}
    try:
        storage.put(keys["original"], taken.data)
        for size, thumb in taken.thumbs.items():
            storage.put(keys[size], thumb)
        yield keys
    except BaseException:
        drop_files(keys.values())
        raise


def drop_files(keys: Any) -> None:
    """Delete files of rows that are gone; what can not be deleted now is the collector's."""
    try:
        storage.delete(*keys)
    except Exception:  # the collector will find them; what failed first matters more
        log.exception("files that no row refers to could not be deleted")


def _write_row(merchant: Merchant, taken: Taken, keys: dict[str, str]) -> tuple[Asset, bool]:
    try:
        with transaction.atomic():
            asset = Asset.objects.create(
                merchant=merchant,
                sha256=taken.sha256,
                key=keys["original"],
                content_type=taken.content_type,
                width=taken.width,
                height=taken.height,
                bytes=taken.bytes,
                thumbs={size: key for size, key in keys.items() if size in taken.thumbs},
            )
            enqueue(Look(merchant=merchant, asset=asset))
            take_room(merchant, taken.bytes)
    except IntegrityError:  # a twin was faster
        twin = Asset.objects.filter(sha256=taken.sha256).first()
        if twin is None:
            raise
        drop_files(keys.values())
        return twin, False
    return asset, True


def lock_asset(asset: Asset) -> Asset:
    """The asset, kept from being deleted until the transaction ends.

    Raises:
        Conflict: ``photo_gone``, retryable: it was deleted a moment ago.
    """
    found = Asset.objects.select_for_update().filter(pk=asset.pk).first()
    if found is None:
        raise Conflict("photo_gone", _("This photo was deleted a moment ago. Add it again."), retryable=True)
    return found


def release_asset(asset_id: UUID) -> bool:
    """Delete an asset and its files if nothing needs it any more; call it after the row that did is gone."""
    with transaction.atomic():
        asset = Asset.objects.select_for_update().filter(pk=asset_id).first()
        if asset is None or _needed(asset):
            return False
        keys = list(keys_of(asset))
        give_room_back(asset.merchant_id, asset.bytes)
        asset.delete()  # what was made of it goes with it
        transaction.on_commit(lambda: drop_files(keys))
    return True


def _needed(asset: Asset) -> bool:
    """What was rejected stays: the same bytes are known again, and staff can look at it a second time."""
    if asset.rejected:
        return True
    rows = (GarmentPhoto, Persona, Scene, Pose)
    return any(model.objects.filter(asset=asset).exists() for model in rows) or any(needs(asset) for needs in _users)


def keys_of(asset: Asset) -> Iterator[str]:
    """Every file that an asset and what was made of it refer to."""
    yield asset.key
    yield from asset.thumbs.values()
    look = Look.objects.filter(asset=asset).first()
    if look is not None:
        yield from look_keys(look)
    for model in (Embedding, GarmentMask):
        yield from model.objects.filter(asset=asset).exclude(key="").values_list("key", flat=True)


def look_keys(look: Look) -> Iterator[str]:
    """The masks and the skeleton."""
    yield from (part["key"] for part in look.found.get("parts", ()))
    if look.found.get("skeleton"):
        yield look.found["skeleton"]


def referred_keys(merchant_id: UUID) -> Iterator[str]:
    """For the collector: every key of kind ``asset`` that a row names."""
    for key, thumbs in Asset.objects.values_list("key", "thumbs").iterator(chunk_size=2000):
        yield key
        yield from thumbs.values()


def referred_look_keys(merchant_id: UUID) -> Iterator[str]:
    """For the collector: every key of kind ``look`` that a row names."""
    for look in Look.objects.only("found", "merchant_id").iterator(chunk_size=2000):
        yield from look_keys(look)


def referred_embedding_keys(merchant_id: UUID) -> Iterator[str]:
    """For the collector: every key of kind ``embedding`` that a row names."""
    yield from Embedding.objects.exclude(key="").values_list("key", flat=True).iterator(chunk_size=2000)
