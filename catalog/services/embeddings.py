"""Embeddings of photos: asked for in time, kept as long as their encoder counts, handed out as they are stored."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import Asset, Embedding
from catalog.services import segmenters
from catalog.services.assets import drop_files
from imodel_site.lib import storage
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import Status
from studio.errors import InputError
from studio.segmentation.embedding_files import decode_embedding

KIND = "embedding"  # of storage keys
# Behind the looks that wait for the same worker, until somebody sits before the photo.
LATER, SOON = -1, 1
# float16 of a network's output hardly shrinks: level 6 takes half as long again for a thousandth less.
LEVEL = 1
MOST_BYTES = 16 * 2**20
PATIENCE = timedelta(hours=1)  # before what failed is tried once more for somebody who opens its photo


def want(asset: Asset, *, soon: bool = False) -> Embedding | None:
    """The asset's embedding by the encoder that counts, asked for if there is none; None where nothing is embedded.

    Args:
        asset: of the open scope's merchant.
        soon: somebody waits for it.
    """
    encoder = segmenters.current()
    if encoder is None or asset.rejected:
        return None
    found = Embedding.objects.filter(asset=asset, encoder=encoder).first()
    if found is None:
        return _ask(asset, encoder, SOON if soon else LATER)
    if soon and found.status == Status.SUCCEEDED and segmenters.decoder_of(encoder) is None:
        return make_anew(found)  # its decoder's file was lost, which comes with an embedding only
    if soon:
        _hurry(found)
    return found


def _ask(asset: Asset, encoder: str, priority: int) -> Embedding | None:
    job = Embedding(merchant_id=asset.merchant_id, asset=asset, encoder=encoder, priority=priority)
    try:
        with transaction.atomic():
            # Held until the end: PostgreSQL checks that it is still there at the commit, where nobody could answer.
            if not Asset.objects.select_for_update(no_key=True).filter(pk=asset.pk).values_list("pk").first():
                return None
            jobs.enqueue(job)
    except IntegrityError:  # a twin was faster
        return Embedding.objects.filter(asset_id=asset.pk, encoder=encoder).first()
    return job


def _hurry(job: Embedding) -> None:
    if job.status == Status.QUEUED and job.priority < SOON:
        Embedding.objects.filter(pk=job.pk, status=Status.QUEUED).update(priority=SOON)
    elif _may_try_again(job):
        jobs.retry(job)


def _may_try_again(job: Embedding) -> bool:
    """What put three workers away is not tried a fourth time by itself."""
    if job.status not in (Status.FAILED, Status.CANCELLED) or job.error_code == "gave_up":
        return False
    return job.finished_at is None or job.finished_at < timezone.now() - PATIENCE


# --- the worker's side ------------------------------------------------------------------------------------------------
def store(*, merchant_id: UUID, data: bytes) -> dict[str, Any]:
    """Check an executor's ``.npy`` and put it away; the columns of its row.

    Raises:
        InputError: ``embedding_invalid``: it is none.
        StorageError: nothing was kept.
    """
    decode_embedding(data)
    packed = gzip.compress(data, LEVEL, mtime=0)
    key = storage.put(storage.new_key(merchant_id, KIND, "npy.gz"), packed)
    return {"key": key, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(packed)}


def written(*, job: Embedding, done: Mapping[str, Any]) -> None:
    """In the transaction that ends the job: the asset's other embeddings go, and the row says who made it.

    A worker that has other weights than the site believed says so; the next page asks for that encoder's.
    """
    others = Embedding.objects.filter(asset_id=job.asset_id).exclude(pk=job.pk)
    keys = [key for key in others.values_list("key", flat=True) if key]
    others.delete()
    Embedding.objects.filter(pk=job.pk).update(encoder=done["encoder"])
    if keys:
        transaction.on_commit(lambda: drop_files(keys))


# --- out --------------------------------------------------------------------------------------------------------------
def read(key: str, sha256: str) -> tuple[bytes, bytes]:
    """The gzipped ``.npy`` that was stored under a key, and the ``.npy`` itself: 2 MB each.

    Raises:
        InputError: ``embedding_invalid``: the file is not what was stored.
        FileNotFoundError: the file is gone.
        StorageError: ``storage_unavailable``, retryable.
    """
    packed = storage.read(key)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            data = file.read(MOST_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError("embedding_invalid", _DAMAGED) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError("embedding_invalid", _DAMAGED)
    return packed, data


def make_anew(embedding: Embedding) -> Embedding | None:
    """One whose file is gone or damaged is forgotten, and asked for again."""
    with transaction.atomic():
        Embedding.objects.filter(pk=embedding.pk, status=Status.SUCCEEDED).delete()
        return want(embedding.asset, soon=True)


_DAMAGED = "The stored embedding is damaged. Embed the photo again."
