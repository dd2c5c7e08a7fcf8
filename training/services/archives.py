"""Sets as zips in kohya's layout: packed for whoever trains elsewhere, and taken in from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from catalog.models import Asset, Garment
from catalog.services.assets import add_asset, lock_asset, release_asset
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused, TooMuch, from_studio
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import ENDED, Status
from studio.dataset.types import DataSet, Entry
from studio.dataset.zips import open_zip
from studio.errors import InputError
from training import orders
from training.models import SetArchive, TrainingPicture, TrainingSet
from training.services import sets
from training.services.preflights import KIND as MASKS

KIND = "setarchive"  # of storage keys
MOST_BYTES = 512 * 2**20  # of a zip that is brought along
TOLD = 50  # names of files that were left in the zip


# --- out -------------------------------------------------------------------------------------------------------------
@transaction.atomic
def order_archive(*, actor: Actor, found: TrainingSet) -> SetArchive:
    """Pack the set as it is now; the one that is under way, or that has packed the very same set, is the one.

    Raises:
        Conflict: ``set_empty``, ``photo_rejected``.
    """
    allow_write(actor)
    found = TrainingSet.objects.select_for_update(of=("self",)).select_related("garment").get(pk=found.pk)
    pictures = orders.used(orders.pictures_of(found))
    _refuse(pictures)
    last = archive_of(found)
    if last is not None:
        return last
    made = SetArchive(
        merchant_id=found.merchant_id,
        garment=found.garment,
        set=found,
        edition=found.edition,
        name=f"{found.trigger}.zip",
        assets=sorted({str(picture.asset_id) for picture in pictures}),
        taken=len(pictures),
        started_by=actor.user,
    )
    jobs.enqueue(made)
    return made


def _refuse(pictures: Sequence[TrainingPicture]) -> None:
    if not pictures:
        raise Conflict("set_empty", _("There is no picture in this set yet. Add photos of the garment."))
    if any(picture.asset.rejected for picture in pictures):
        words = _("A photo of this set was removed by moderation. Leave it out, then start again.")
        raise Conflict("photo_rejected", words)


def contents(row: SetArchive) -> dict[str, Any]:
    """What is packed, as :func:`training.datasets.write` lays it out.

    Raises:
        Conflict: ``set_empty``, ``photo_rejected``; they came about since it was ordered.
    """
    assert row.set is not None
    pictures = orders.used(orders.pictures_of(row.set))
    _refuse(pictures)
    return orders.as_files(row.set, pictures)


def packed(row: SetArchive, zipped: Path) -> dict[str, Any]:
    """Store the zip: the fields of the row that say so. The file may be gone afterwards."""
    size = zipped.stat().st_size
    key = storage.move_in(storage.new_key(row.merchant_id, KIND, "zip"), zipped)
    return {"key": key, "bytes": size}


def open_to(row: SetArchive, *, bearer: bool) -> bool:
    """Whether it may be handed out: as long as every picture in it may be."""
    return all(asset.open_to(bearer=bearer) for asset in Asset.objects.filter(pk__in=row.assets))


# --- in --------------------------------------------------------------------------------------------------------------
def bring_archive(*, actor: Actor, garment: Garment, file: Any, key: str | None) -> SetArchive:
    """Make a set of a zip, once a worker has read it.

    Args:
        file: an uploaded file.

    Raises:
        Refused: ``archive_missing``, ``disk_full``; and what its table of contents shows: ``archive_damaged``,
            ``archive_name_refused``, ``archive_too_large``, ``archive_encrypted``, ``dataset_empty``.
        TooMuch: ``archive_file_too_large`` (413).
    """
    allow_write(actor)
    _check_arrived(file)
    digest = _judged(file)
    with transaction.atomic():
        made, _new = jobs.accept(
            SetArchive,
            merchant=actor.merchant,
            key=key,
            request_hash=jobs.hash_of("set archive", digest, str(garment.pk)),
            make=lambda: SetArchive(
                way=SetArchive.Way.IN,
                garment=garment,
                name=PurePath(str(file.name or "set.zip")).name[:200],
                key=storage.put_file(storage.new_key(actor.merchant.pk, KIND, "zip"), File(file)),
                bytes=file.size,
                started_by=actor.user,
            ),
        )
    return made


def _check_arrived(file: Any) -> None:
    if file is None:
        raise Refused("archive_missing", _("Choose a .zip file."), field="file")
    problem = getattr(file, "problem", "")
    if problem == "disk_full":
        words = _("There is no room for it just now. Try again later.")
        raise Refused(problem, words, field="file", retryable=True, status=507)
    if problem or (file.size or 0) > MOST_BYTES:
        words = _("A zip has at most %(most)d MB.") % {"most": MOST_BYTES // 2**20}
        raise TooMuch("archive_file_too_large", words, field="file", status=413)


def _judged(file: Any) -> str:
    """Judge it by its table of contents, before anybody unpacks it; the file's sha256."""
    try:
        with open_zip(Path(file.temporary_file_path())) as opened:
            if not opened.kept:
                raise InputError("dataset_empty", "The zip holds no picture of a set.")
    except InputError as error:
        raise from_studio(error, field="file") from error
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


@dataclass(frozen=True)
class Taken:
    """A picture of the zip, stored; ``new``: the merchant did not have it before."""

    asset: Asset
    new: bool
    fields: dict[str, Any]


def check_dataset(dataset: DataSet) -> None:
    """Refuse what a set of ours can not be.

    Raises:
        InputError: ``dataset_too_large``.
    """
    if len(dataset.entries) > sets.MOST_PICTURES:
        said = f"The zip holds {len(dataset.entries)} pictures; a set has at most {sets.MOST_PICTURES}."
        raise InputError("dataset_too_large", said)


def take_picture(row: SetArchive, entry: Entry, mask_of: Callable[[Path, tuple[int, int]], bytes]) -> Taken:
    """Through the one door for pictures, its mask stored beside it; captions count as written by hand.

    Args:
        mask_of: a mask's file and the picture's (width, height) to the PNG that we keep.

    Raises:
        Refused: ``photo_...``, ``photo_rejected``, ``quota_full``.
        InputError: what is wrong with the mask.
    """
    asset, new = add_asset(merchant=row.merchant, file=entry.image.read_bytes())
    mask = ""
    if entry.mask is not None:
        data = mask_of(entry.mask, (asset.width, asset.height))
        mask = storage.put(storage.new_key(row.merchant_id, MASKS, "png"), data)
    fields = {"kind": entry.kind, "view": entry.view, "view_by_hand": entry.view != "unsure", "mask_key": mask}
    said = {"caption": entry.caption, "caption_by_hand": bool(entry.caption), "held_out": entry.held_out}
    return Taken(asset, new, fields | said)


def made_of(row: SetArchive, dataset: DataSet, pictures: Sequence[Taken]) -> None:
    """The set and its pictures, in the transaction that ends the job; the same bytes twice are one picture."""
    found: TrainingSet = TrainingSet.objects.create(
        merchant_id=row.merchant_id,
        garment=row.garment,
        trigger=dataset.trigger,
        mirrored=all(entry.flip for entry in dataset.entries),
        created_by=row.started_by,
    )
    seen: set[Any] = set()
    for one in pictures:
        asset = lock_asset(one.asset)
        if asset.pk not in seen:
            TrainingPicture.objects.create(
                merchant_id=row.merchant_id, set=found, asset=asset, position=len(seen), **one.fields
            )
            seen.add(asset.pk)
    SetArchive.objects.filter(pk=row.pk).update(set=found, taken=len(seen), key="")


def take_back(pictures: Sequence[Taken]) -> None:
    """It came to nothing: what was stored for it goes, unless something else has come to need it."""
    storage.delete(*(one.fields["mask_key"] for one in pictures))
    for one in pictures:
        if one.new:
            release_asset(one.asset.pk)


def archive_of(found: TrainingSet) -> SetArchive | None:
    """The newest zip of the set as it is now, under way or whole."""
    rows = SetArchive.objects.filter(set=found, way=SetArchive.Way.OUT, edition=found.edition)
    row: SetArchive | None = rows.exclude(status__in=(Status.FAILED, Status.CANCELLED)).order_by("-id").first()
    return row if row is not None and (row.status not in ENDED or row.kept) else None
