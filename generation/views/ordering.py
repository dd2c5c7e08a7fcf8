"""The Shoot page and the expert's form: from choices to an accepted shoot."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import allow_write
from accounts.decorators import member_required, writer_required
from catalog.services.photos import add_garment_with_photo
from generation import pricing, services, wizard
from generation.access import access_photo
from generation.expert import ExpertChoices
from generation.forms import ExpertForm, ShootForm
from generation.models import Shoot
from imodel_site.lib.errors import Refused
from imodel_site.lib.images import read_upload
from imodel_site.lib.isolation import isolated
from imodel_site.middleware import wants_json

KEPT = (
    "kind",
    "photo",
    "part",
    "persona",
    "scene",
    "pose",
    "crop",
    "outfit",
    "adapter",
    "adapter_weight",
    "count",
    "best_of",
)


@isolated
@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Any) -> HttpResponse:
    """One page to choose on, one POST to start."""
    if request.method != "POST":
        return _wizard(request, ShootForm(request.GET))
    allow_write(request.actor)
    if "show" in request.POST:  # another photo was picked: look at that one, keep the rest of the choices
        chosen = {name: request.POST[name] for name in KEPT if request.POST.get(name)}
        return redirect(f"{request.path}?{urlencode(chosen)}")
    form = ShootForm(request.POST, request.FILES)
    shoot = _ordered(form, lambda: _order(request, form))
    return redirect("generation:shoot", shoot.pk) if shoot else _wizard(request, form)


@writer_required
@require_POST
def upload(request: Any) -> HttpResponse:
    """A new photo, right here: it becomes a garment of its own, and the page comes back with it chosen.

    A script sends one file a request and is told where to go; without one the form is sent whole.
    """
    files = request.FILES.getlist("photos")
    if not files:
        raise Refused("no_file", _("Choose at least one photo."), field="photos")
    taken = [add_garment_with_photo(merchant=request.merchant, file=file, file_name=file.name)[0] for file in files]
    following = f"{reverse('generation:new')}?{urlencode({'photo': taken[-1].pk})}"
    if wants_json(request):
        return JsonResponse({"photo": str(taken[-1].pk), "next": following}, status=201)
    return redirect(following)


def _wizard(request: Any, form: ShootForm) -> HttpResponse:
    form.is_valid()
    context = wizard.page(request.actor, form.cleaned_data) | {"form": form}
    asked = request.method == "POST"
    if asked:
        context["once"] = form.cleaned_data.get("once") or context["once"]
    return render(request, "generation/new.html", context | {"refused": asked}, status=422 if asked else 200)


def _order(request: Any, form: ShootForm) -> Shoot:
    mask = ""
    if form.cleaned_data["mask"] and form.cleaned_data["photo"]:
        photo = access_photo(request.actor, form.cleaned_data["photo"])
        data = read_upload(form.cleaned_data["mask"])
        size = (photo.asset.width, photo.asset.height)
        mask = services.store_mask(actor=request.actor, data=data, size=size)
    choices = form.choices(mask=mask)
    return services.order_shoot(actor=request.actor, choices=choices, key=form.cleaned_data["once"] or None)


def _ordered(form: Any, order: Any) -> Shoot | None:
    """The shoot; None when the form or the service refused, and then the form says why. A foreign id is a 404."""
    if not form.is_valid():
        return None
    try:
        found: Shoot = order()
    except Refused as refused:
        if refused.status == 404:
            raise
        form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
        return None
    return found


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def expert(request: Any) -> HttpResponse:
    """Every parameter of txt2img and img2img."""
    if request.method != "POST":
        return _expert_page(request, ExpertForm(initial={"once": _once()}))
    allow_write(request.actor)
    form = ExpertForm(request.POST, request.FILES)
    shoot = _ordered(form, lambda: _order_expert(request, form))
    return redirect("generation:shoot", shoot.pk) if shoot else _expert_page(request, form, status=422)


def _expert_page(request: Any, form: ExpertForm, *, status: int = 200) -> HttpResponse:
    given = getattr(form, "cleaned_data", {})
    wanted = {name: given[name] for name in ("batch_size", "iterations") if given.get(name)}
    context = {"form": form, "price": pricing.price_of(ExpertChoices(prompt="", **wanted))}
    return render(request, "generation/expert.html", context, status=status)


def _once() -> str:
    return secrets.token_urlsafe(18)


def _order_expert(request: Any, form: ExpertForm) -> Shoot:
    choices = form.choices(files=_stored(request, form))
    return services.order_expert(actor=request.actor, choices=choices, key=form.cleaned_data["once"] or None)


def _stored(request: Any, form: ExpertForm) -> dict[str, str]:
    """The form's pictures, checked and kept; storage keys by field."""
    files: dict[str, str] = {}
    size = None
    for name, upload in form.files.items():
        if name == "mask" or form.cleaned_data.get(name) is None:
            continue
        files[name], found = services.store_picture(actor=request.actor, data=read_upload(upload), field=name)
        size = found if name == "image" else size
    if form.cleaned_data.get("mask") and size is not None:
        data = read_upload(form.cleaned_data["mask"])
        files["mask"] = services.store_mask(actor=request.actor, data=data, size=size)
    elif form.cleaned_data.get("mask"):
        raise Refused("image_missing", _("A mask belongs to a picture: add the one it was drawn over."), field="image")
    return files
