"""Cutting a garment out of its photo: the editor's page, what it asks for, and the mask it saves."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import member_required, writer_required
from catalog import cut_words, cutting
from catalog.access import access_photo
from catalog.models import Embedding, GarmentPhoto
from catalog.services import decoding, embeddings, masks, segmenters
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.images import read_upload
from imodel_site.lib.isolation import isolated
from imodel_site.middleware import wants_json
from studio.errors import InputError

YEAR = 365 * 24 * 3600
GZIP = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0{1,3})?\s*(?:,|$))[\d.]+\s*)?(?=,|$)", re.IGNORECASE)


@isolated
@member_required
@require_safe
def page(request: Any, photo_id: str) -> HttpResponse:
    """The editor; without scripts, what was proposed and a field for a mask that was made elsewhere."""
    photo = _photo(request, photo_id, write=False)
    state = cutting.state_json(photo, actor=request.actor)
    mask = state["mask"]
    context = {
        "photo": photo,
        "state": state,
        "words": cut_words.words(),
        "back": _following(request, request.GET, photo),
        "next": request.GET.get("next", ""),
        "shown": mask["url"] if mask else _best_url(state),
    }
    return render(request, "catalog/cut.html", context)


def _best_url(state: dict[str, Any]) -> str:
    """The mask of the proposal that a shoot would take."""
    return next((one["url"] for one in state["proposals"] if one["part"] == state["best"]), "")


@member_required
@require_safe
def state(request: Any, photo_id: str) -> HttpResponse:
    """What the editor works on."""
    photo = _photo(request, photo_id, write=False)
    return _private(JsonResponse(cutting.state_json(photo, actor=request.actor)))


@member_required
@require_safe
def embedding(request: Any, photo_id: str) -> HttpResponseBase:
    """The photo's embedding as ``.npy``, gzipped on the way for whoever takes that.

    Raises:
        Conflict: ``embedding_not_ready``, retryable.
    """
    photo = _photo(request, photo_id, write=False)
    found = decoding.ready_embedding(photo.asset)
    etag = cutting.etag_of(found)
    response = HttpResponse(status=304) if request.headers.get("If-None-Match") == etag else _sent(request, found)
    response["ETag"] = etag
    response["Vary"] = "Accept-Encoding, Cookie"
    response["X-Content-Type-Options"] = "nosniff"
    # Asked for anew each time, so that what staff removed is gone; a 304 costs nothing.
    return _private(response)


def _sent(request: Any, found: Embedding) -> HttpResponse:
    try:
        packed, data = embeddings.read(found.key, found.sha256)
    except (FileNotFoundError, InputError) as error:
        embeddings.make_anew(found)
        raise decoding.not_ready() from error
    takes_gzip = GZIP.search(request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(packed if takes_gzip else data, content_type="application/octet-stream")
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    return response


@member_required
@require_POST
def decode(request: Any, photo_id: str) -> HttpResponse:
    """Masks for clicks, for a browser that can not decode by itself; looking is all it takes.

    Raises:
        TooMuch: ``too_many_requests``, ``body_too_large``.
        Refused: what was sent is no prompt; ``decoder_busy``.
        Conflict: ``embedding_not_ready``.
    """
    photo = _photo(request, photo_id, write=False)
    decoding.refuse_too_many(photo.merchant_id)
    prompt = decoding.read_prompt(request.body)
    found = decoding.ready_embedding(photo.asset)
    size = (photo.asset.width, photo.asset.height)
    return _private(JsonResponse(decoding.decode(found, prompt, size=size)))


@writer_required
@require_POST
def save(request: Any, photo_id: str) -> HttpResponse:
    """Keep a mask as the one that counts."""
    photo = _photo(request, photo_id, write=True)
    file = request.FILES.get("mask")
    if file is None:
        raise Refused("no_file", _("Choose the mask's picture."), field="mask")
    edits = masks.read_edits(request.POST.get("edits", ""))
    base = request.POST.get("base", "")
    masks.save_mask(actor=request.actor, asset=photo.asset, data=read_upload(file), base=base, edits=edits)
    return _done(request, photo, _("The mask is saved. Shoots of this photo keep exactly these pixels."))


@writer_required
@require_POST
def reset(request: Any, photo_id: str) -> HttpResponse:
    """Take the merchant's own mask away."""
    photo = _photo(request, photo_id, write=True)
    masks.reset_mask(actor=request.actor, asset=photo.asset)
    return _done(request, photo, _("Your mask is gone. What was found by itself counts again."))


def _done(request: Any, photo: GarmentPhoto, words: str) -> HttpResponse:
    if wants_json(request):
        return _private(JsonResponse(cutting.state_json(photo, actor=request.actor)))
    messages.success(request, words)
    return redirect(_following(request, request.POST, photo))


@member_required
@require_safe
def decoder(request: Any, sha256: str) -> HttpResponse:
    """A decoder by its hash: the same bytes for ever. For those who sign in, since weights may be an operator's own.

    Raises:
        Refused: ``decoder_not_ready`` (503), retryable: its file is gone, and is made again.
    """
    found = segmenters.decoder_with(sha256)
    if found is None:
        raise NotHere()
    response = HttpResponse(decoding.read_decoder(found), content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_cache_control(response, private=True, max_age=YEAR, immutable=True)
    return response


def _photo(request: Any, photo_id: str, *, write: bool) -> GarmentPhoto:
    """The photo; Conflict ``photo_rejected`` for one that staff removed."""
    photo = access_photo(request.actor, photo_id, write=write)
    masks.refuse_rejected(photo.asset)
    return photo


def _following(request: Any, given: Any, photo: GarmentPhoto) -> str:
    """Where the page leads back to: where one came from, else to the garment."""
    asked = given.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if asked and ours else reverse("catalog:garment", args=[photo.garment_id])


def _private(response: Any) -> Any:
    patch_cache_control(response, private=True, no_cache=True)
    return response
