"""Garments: the catalog itself, one of them, and what is done to one or many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import member_required, writer_required
from accounts.views.forms import attempt
from catalog import listing
from catalog.access import access_garment
from catalog.forms import GarmentForm, RenameForm, initial_of
from catalog.models import Category, Garment, Look, View
from catalog.services import garments as service
from catalog.services.sample_garments import add_sample_garments
from imodel_site.lib.errors import Refused
from imodel_site.middleware import wants_json


@member_required
@require_GET
def garments(request: Any) -> HttpResponse:
    """The catalog: searched, filtered, a page of it."""
    filters = listing.filters_from(request.GET)
    page = listing.page_of(filters, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    context = {
        "page": page,
        "filters": filters,
        "chips": listing.chips(),
        "active": _active_chips(filters),
        "categories": Category.choices,
        "views": View.choices,
        "next_url": _page_url(filters, after=page.after),
        "previous_url": _page_url(filters, before=page.before),
    }
    return render(request, "catalog/garments.html", context)


def _query(filters: listing.Filters) -> dict[str, str]:
    first = listing.Filters()
    return {key: value for key, value in vars(filters).items() if value != getattr(first, key)}


def _page_url(filters: listing.Filters, **mark: str) -> str:
    return f"?{urlencode({**_query(filters), **mark})}" if all(mark.values()) else ""


def _active_chips(filters: listing.Filters) -> list[tuple[str, str]]:
    """(words, address without it) for each filter that is on."""
    words: dict[str, Callable[[str], str]] = {
        "q": lambda value: f"“{value}”",
        "category": lambda value: str(Category(value).label),
        "colour": str,
        "tag": lambda value: f"#{value}",
        "status": lambda value: str(Garment.Status(value).label).capitalize(),
        "missing": _missing_words,
    }
    on = [(key, getattr(filters, key)) for key in words if getattr(filters, key)]
    return [(words[key](value), f"?{urlencode(_query(replace(filters, **{key: ''})))}") for key, value in on]


def _missing_words(value: str) -> str:
    if value == "photos":
        return _("no photo at all")
    return _("no photo of the %(side)s") % {"side": str(View(value).label).lower()}


@member_required
@require_GET
def garment(request: Any, garment_id: str) -> HttpResponse:
    """One garment with its photos."""
    found = access_garment(request.actor, garment_id, write=False)
    return _detail(request, found, RenameForm(initial={"name": found.name}))


def _detail(request: Any, found: Garment, rename: RenameForm) -> HttpResponse:
    photos = list(found.photos.select_related("asset").order_by("position", "id"))
    looks = {look.asset_id: look for look in Look.objects.filter(asset__in=[photo.asset_id for photo in photos])}
    context = {
        "garment": found,
        "rename": rename,
        "photos": [(photo, looks.get(photo.asset_id)) for photo in photos],
        "tags": found.tags.order_by("id"),
        "views": View.choices,
        "sides": {view: any(photo.view == view for photo in photos) for view in View.values},
    }
    return render(request, "catalog/garment.html", context, status=422 if rename.errors else 200)


@writer_required
@require_http_methods(["GET", "POST"])
def create(request: Any) -> HttpResponse:
    """A garment typed in; photos come on its page."""
    form = GarmentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        made = attempt(form, lambda: service.create_garment(merchant=request.merchant, details=form.details))
        if made is not None:
            return redirect("catalog:garment", made.pk)
    return _form_page(request, form, None)


def _form_page(request: Any, form: GarmentForm, found: Garment | None) -> HttpResponse:
    context = {"form": form, "garment": found, "chips": listing.chips()}
    return render(request, "catalog/garment_form.html", context, status=422 if form.errors else 200)


@writer_required
@require_http_methods(["GET", "POST"])
def edit(request: Any, garment_id: str) -> HttpResponse:
    """Everything that is said of a garment."""
    found = access_garment(request.actor, garment_id, write=True)
    if request.method == "GET":
        return _form_page(request, GarmentForm(initial=initial_of(found)), found)
    form = GarmentForm(request.POST)
    if attempt(form, lambda: service.update_garment(garment=found, details=form.details)) is None:
        return _form_page(request, form, access_garment(request.actor, garment_id, write=True))
    messages.success(request, _("Saved."))
    return redirect("catalog:garment", found.pk)


@writer_required
@require_POST
def rename(request: Any, garment_id: str) -> HttpResponse:
    """The name alone, typed over in place."""
    found = access_garment(request.actor, garment_id, write=True)
    form = RenameForm(request.POST)
    if attempt(form, lambda: service.rename(garment=found, name=form.cleaned_data["name"])) is None:
        if wants_json(request):
            raise Refused("name_missing", _("Give the garment a name."), field="name", status=422)
        return _detail(request, access_garment(request.actor, garment_id, write=True), form)
    if wants_json(request):
        return JsonResponse({"name": found.name})
    return redirect("catalog:garment", found.pk)


@writer_required
@require_POST
def status(request: Any, garment_id: str) -> HttpResponse:
    """Archive, restore, or call a draft ready."""
    found = access_garment(request.actor, garment_id, write=True)
    service.set_status(garments=[found], status=request.POST.get("status", ""))
    return redirect("catalog:garment", found.pk)


@writer_required
@require_http_methods(["GET", "POST"])
def delete(request: Any, garment_id: str) -> HttpResponse:
    """Asked first, then gone with its photos."""
    found = access_garment(request.actor, garment_id, write=True)
    if request.method == "GET":
        return render(request, "catalog/delete.html", {"garments": [found], "count": 1, "back": found})
    service.delete_garments(garments=[found])
    messages.success(request, _("%(name)s is deleted. Pictures made of it are kept.") % {"name": found.name})
    return redirect("catalog:garments")


def _archive(request: Any, chosen: Sequence[Garment]) -> int:
    return service.set_status(garments=chosen, status=Garment.Status.ARCHIVED)


def _activate(request: Any, chosen: Sequence[Garment]) -> int:
    return service.set_status(garments=chosen, status=Garment.Status.ACTIVE)


def _categorise(request: Any, chosen: Sequence[Garment]) -> int:
    return service.set_category(garments=chosen, category=request.POST.get("to_category", ""))


def _tag(request: Any, chosen: Sequence[Garment]) -> int:
    return service.tag_all(garments=chosen, tag=request.POST.get("to_tag", ""), on=True)


def _untag(request: Any, chosen: Sequence[Garment]) -> int:
    return service.tag_all(garments=chosen, tag=request.POST.get("to_tag", ""), on=False)


ACTIONS: dict[str, Callable[[Any, Sequence[Garment]], int]] = {
    "archive": _archive,
    "activate": _activate,
    "category": _categorise,
    "tag": _tag,
    "untag": _untag,
}


@writer_required
@require_POST
def bulk(request: Any) -> HttpResponse:
    """One thing done to many; a single id that is not the merchant's refuses the whole call."""
    action = request.POST.get("action", "")
    chosen = service.chosen_garments(request.POST.getlist("garment"))
    if action == "delete":
        return _delete_many(request, chosen)
    if action not in ACTIONS:
        raise Refused("action_unknown", _("Choose what to do with them."), field="action")
    changed = ACTIONS[action](request, chosen)
    messages.success(request, ngettext("%(n)s garment changed.", "%(n)s garments changed.", changed) % {"n": changed})
    return redirect(_back(request))


def _delete_many(request: Any, chosen: Sequence[Garment]) -> HttpResponse:
    if request.POST.get("sure") != "yes":
        return render(request, "catalog/delete.html", {"garments": chosen, "count": len(chosen), "back": None})
    gone = service.delete_garments(garments=chosen)
    messages.success(request, ngettext("%(n)s garment deleted.", "%(n)s garments deleted.", gone) % {"n": gone})
    return redirect(_back(request))


def _back(request: Any) -> str:
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours and asked.startswith("/") else "/catalog/"


@writer_required
@require_POST
def samples(request: Any) -> HttpResponse:
    """Add the sample garments."""
    made = add_sample_garments(merchant=request.merchant)
    messages.success(request, ngettext("%(n)s sample added.", "%(n)s samples added.", len(made)) % {"n": len(made)})
    return redirect("catalog:garments")
