"""What a line of the ledger says about a shoot: its garment, and what each of its pictures cost."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from accounts.statement import Piece, Told
from generation.models import FashnRun, Picture, Shoot


def tell(jobs: Sequence[UUID]) -> dict[UUID, Told]:
    """Of those jobs that are shoots of the open scope, or runs that did not become one."""
    pieces = _pieces(jobs)
    runs = FashnRun.objects.filter(pk__in=jobs).values_list("pk", "model_name")
    shoots = Shoot.objects.filter(pk__in=jobs).select_related("garment").only("kind", "garment__name")
    return {pk: Told(name, "", ()) for pk, name in runs} | {
        shoot.pk: Told(
            shoot.garment.name if shoot.garment else str(shoot.get_kind_display()),
            reverse("generation:shoot", args=[shoot.pk]),
            pieces.get(shoot.pk, ()),
        )
        for shoot in shoots
    }


def _pieces(jobs: Sequence[UUID]) -> dict[UUID, list[Piece]]:
    rows = Picture.objects.filter(shoot__in=jobs).order_by("shoot", "index")
    found: dict[UUID, list[Piece]] = {}
    for shoot, pk, index, cost, deleted in rows.values_list("shoot", "pk", "index", "cost", "deleted_at"):
        url = "" if deleted else reverse("generation:picture", args=[pk])
        found.setdefault(shoot, []).append(Piece(index + 1, url, cost))
    return found
