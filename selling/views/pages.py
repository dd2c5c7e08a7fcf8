"""In the shop: what stands where, what may be put there, and the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import member_required, writer_required
from accounts.views.paging import cursor
from catalog.access import access_garment
from catalog.models import Garment
from generation import boards
from generation import services as generation
from generation.access import access_batch, access_picture
from generation.models import Picture, Review
from generation.services.batches import HELD_BACK
from generation.views.pictures import back
from imodel_site.lib.errors import Conflict, Refused
from selling import services, showing
from selling.access import access_publication
from selling.models import Publication
from selling.services.publishing import PLACES

PAGE = 24
MOST_LOOKED_AT = 2_000  # approved pictures of a batch, by one press


@member_required
@require_safe
def shop(request: Any) -> HttpResponse:
    """Garments of which something stands in the shop, newest garment first."""
    before = cursor(request.GET.get("before"))
    live = Publication.objects.filter(garment=OuterRef("pk"), ended_at=None)
    rows = Garment.objects.filter(Exists(live)).order_by("-id")
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    return render(request, "selling/shop.html", {"rows": showing.shelves(found[:PAGE]), "older": older})


@member_required
@require_safe
def garment(request: Any, garment_id: UUID) -> HttpResponse:
    """One garment: its places with their history, and approved pictures that stand nowhere."""
    found = access_garment(request.actor, garment_id, write=False)
    shelf = showing.shelves([found])[0]
    context = {
        "garment": found,
        "shelf": shelf,
        "waiting": showing.waiting(found),
        "history": showing.history(found),
        "places": range(1, min(PLACES, len(shelf.standing) + 2)),
    }
    return render(request, "selling/garment.html", context)


@writer_required
@require_POST
def publish(request: Any) -> HttpResponse:
    """Put a picture into the shop; ``approve`` says that whoever presses approves it with that."""
    picture = access_picture(request.actor, request.POST.get("picture", ""), write=True)
    place = request.POST.get("position", "")
    try:
        if request.POST.get("approve") and picture.review == Review.NONE:
            generation.review_pictures(actor=request.actor, pictures=[picture], review=Review.APPROVED)
            picture.review = Review.APPROVED
        made = services.publish(
            actor=request.actor, picture=picture, position=int(place) if place.isdecimal() else None
        )
    except (Conflict, Refused) as refused:
        if refused.status == 404:
            raise
        messages.error(request, str(refused.message))
        return back(request, picture)
    messages.success(request, _("In the shop, in place %(n)d.") % {"n": made.position})
    return redirect("selling:garment", made.garment_id)


@writer_required
@require_POST
def publish_batch(request: Any, batch_id: UUID) -> HttpResponse:
    """Put what is approved of a batch into the first free places, the best first, as far as one request goes."""
    batch = access_batch(request.actor, batch_id, write=True)
    rows = Picture.objects.filter(
        shoot__batch=batch, deleted_at=None, review=Review.APPROVED, garment__isnull=False
    ).exclude(moderation__in=HELD_BACK)
    live = Publication.objects.filter(picture=OuterRef("pk"), ended_at=None)
    chosen = list(rows.filter(~Exists(live)).order_by(*boards.by_fidelity(worst=False))[:MOST_LOOKED_AT])
    _say_what_became(request, services.publish_many(actor=request.actor, pictures=chosen))
    return redirect("generation:batch", batch.pk)


def _say_what_became(request: Any, found: services.Published) -> None:
    words = ngettext("%(n)d picture is in the shop now.", "%(n)d pictures are in the shop now.", found.done)
    said = words % {"n": found.done}
    if found.rest:
        said += " " + _("Press again for the rest.")
    if found.done:
        messages.success(request, said)
    if found.left_out:
        words = ngettext(
            "%(n)d picture was left out: its garment’s %(most)d places in the shop are taken.",
            "%(n)d pictures were left out: their garments’ %(most)d places in the shop are taken.",
            found.left_out,
        )
        messages.error(request, words % {"n": found.left_out, "most": PLACES})


@writer_required
@require_POST
def withdraw(request: Any, publication_id: UUID) -> HttpResponse:
    """Take one out."""
    found = access_publication(request.actor, publication_id, write=True)
    services.withdraw(actor=request.actor, publication=found)
    messages.success(request, _("Out of the shop. Its address answers nothing any more, everywhere within a minute."))
    return redirect("selling:garment", found.garment_id)


@writer_required
@require_POST
def roll_back(request: Any, publication_id: UUID) -> HttpResponse:
    """Back to what stood in the place of this one before."""
    found = access_publication(request.actor, publication_id, write=True)
    try:
        services.roll_back(actor=request.actor, garment=found.garment, position=found.position)
        messages.success(request, _("The earlier picture is back."))
    except Conflict as conflict:
        messages.error(request, str(conflict.message))
    return redirect("selling:garment", found.garment_id)
