"""What pictures, light tables and uploads of orders are called in a merchant's archive (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.exporting.names import Named, suffix_of
from accounts.models.moderation import Moderation
from generation.models import FashnRun, Picture, Shoot

AT_ONCE = 500
MODERATION = "moderation"


def named_files(merchant_id: UUID) -> Iterator[Named]:
    """Everything of one shoot lies in one folder."""
    pictures = Picture.objects.only("merchant_id", "shoot_id", "index", "files", "moderation").order_by("id")
    for picture in pictures.iterator(chunk_size=AT_ONCE):
        yield from _of_picture(picture)
    for shoot in _shoots().iterator(chunk_size=AT_ONCE):
        yield from _of_shoot(shoot)
    for run in FashnRun.objects.exclude(output=[]).only("merchant_id", "output").iterator(chunk_size=AT_ONCE):
        yield from _of_run(run)


def _of_run(run: FashnRun) -> Iterator[Named]:
    for place, key in enumerate(run.output):
        yield Named(key, f"fashn/{run.pk}-{place}{suffix_of(key)}")


def _shoots() -> Any:
    """A light table shows the photo and the pictures: it stays here when staff rejected one of them."""
    rejected = Picture.objects.filter(shoot=OuterRef("pk"), moderation=Moderation.REJECTED)
    shows = Exists(rejected) | Q(photo__asset__moderation=Moderation.REJECTED)
    return Shoot.objects.only("merchant_id", "table", "order").annotate(shows_rejected=shows).order_by("id")


def _of_picture(picture: Picture) -> Iterator[Named]:
    folder, why = f"pictures/{picture.shoot_id}", MODERATION if picture.rejected else ""
    for variant, file in sorted(picture.files.items()):
        place = f"{picture.index + 1}" if variant == "full" else f"small/{picture.index + 1}-{variant}"
        yield Named(file["key"], f"{folder}/{place}{suffix_of(file['key'])}", why)


def _of_shoot(shoot: Any) -> Iterator[Named]:
    folder, why = f"pictures/{shoot.pk}", MODERATION if shoot.shows_rejected else ""
    for paper, key in sorted(shoot.table.items()):
        if key:
            yield Named(key, f"{folder}/table/{paper}{suffix_of(key)}", why)
    for place, key in [*_uploads(shoot.order), *_uploads(shoot.order.get("origin", {}))]:
        yield Named(key, f"{folder}/order/{place}{suffix_of(key)}", why)


def _uploads(order: Any) -> list[tuple[str, str]]:
    return sorted(order.get("files", {}).items())
