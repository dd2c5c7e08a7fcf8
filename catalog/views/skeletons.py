"""The skeleton editor's page, and what it asks: state, save, reset, a pose placed on the figure, and its drawings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import allow_write
from accounts.decorators import member_required, writer_required
from catalog.access import access_photo, access_pose
from catalog.models import GarmentPhoto, Pose
from catalog.services import libraries
from catalog.services import skeletons as service
from catalog.services.masks import refuse_rejected
from catalog.skeleton_words import crop_words, words
from imodel_site.lib.errors import Refused, named
from imodel_site.lib.signing import media_url
from imodel_site.middleware import wants_json

CROP = "head-to-toe"


@member_required
@require_GET
def skeleton(request: Any, photo_id: str) -> HttpResponse:
    """The editor; without scripts, the photo with its skeleton."""
    photo = _photo(request, photo_id, write=False)
    standing = service.standing_on(photo.asset)
    context = {"photo": photo, "standing": standing, "words": words(), "crops": crop_words()}
    return render(request, "catalog/skeleton.html", context)


@member_required
@require_GET
def state(request: Any, photo_id: str) -> HttpResponse:
    """All that the editor needs to begin."""
    photo = _photo(request, photo_id, write=False)
    return JsonResponse(_state_json(request, photo, service.standing_on(photo.asset)))


@writer_required
@require_POST
def save(request: Any, photo_id: str) -> HttpResponse:
    """Say how somebody stands here: ``{"landmarks", "base"}``."""
    photo = _photo(request, photo_id, write=True)
    sent = _sent(request)
    base = sent.get("base")
    service.save_skeleton(
        asset=photo.asset, landmarks=sent.get("landmarks"), base=base if isinstance(base, str) else None
    )
    return JsonResponse(_state_json(request, photo, service.standing_on(photo.asset)))


@writer_required
@require_POST
def reset(request: Any, photo_id: str) -> HttpResponse:
    """What was seen counts again."""
    photo = _photo(request, photo_id, write=True)
    service.reset_skeleton(asset=photo.asset)
    if wants_json(request):
        return JsonResponse(_state_json(request, photo, service.standing_on(photo.asset)))
    messages.success(request, _("The pose is again as it was seen."))
    return redirect("catalog:skeleton", photo.pk)


@writer_required
@require_POST
def place(request: Any, photo_id: str) -> HttpResponse:
    """A pose on the figure: ``{"pose", "landmarks", "mirror", "keep_trunk"}``; nothing is saved."""
    photo = _photo(request, photo_id, write=True)
    sent = _sent(request)
    with named("pose"):
        pose = access_pose(request.actor, sent.get("pose"), write=False)
    rows = service.place(
        asset=photo.asset,
        pose=pose,
        landmarks=sent.get("landmarks"),
        mirror=sent.get("mirror") is True,
        keep_trunk=sent.get("keep_trunk") is not False,
    )
    return JsonResponse({"rows": rows})


@writer_required
@require_POST
def keep(request: Any, photo_id: str) -> HttpResponse:
    """What is drawn as a pose of one's own: ``{"title", "landmarks"}``."""
    photo = _photo(request, photo_id, write=True)
    sent = _sent(request)
    pose = service.keep_as_pose(
        merchant=request.merchant,
        asset=photo.asset,
        title=str(sent.get("title") or ""),
        landmarks=sent.get("landmarks"),
    )
    return JsonResponse({"pose": _pose_json(pose)}, status=201)


@member_required
@require_http_methods(["GET", "POST"])
def control(request: Any, photo_id: str) -> HttpResponse:
    """The PNG that the engine gets: of what counts now, or of the ``{"landmarks", "crop"}`` that are sent."""
    photo = _photo(request, photo_id, write=False)
    if request.method == "POST":
        allow_write(request.actor)
        sent = _sent(request)
        rows, crop = sent.get("landmarks"), str(sent.get("crop") or CROP)
    else:
        rows, crop = service.standing_on(photo.asset).rows, request.GET.get("crop", CROP)
    return _png(service.control_picture(asset=photo.asset, landmarks=rows, crop=crop))


@member_required
@require_GET
def layer(request: Any, photo_id: str) -> HttpResponse:
    """The skeleton that counts now over nothing, to lie on the photo."""
    photo = _photo(request, photo_id, write=False)
    return _png(service.layer_picture(service.standing_on(photo.asset)))


def _photo(request: Any, photo_id: str, *, write: bool) -> GarmentPhoto:
    """The photo; Conflict ``photo_rejected`` for one that staff removed."""
    photo = access_photo(request.actor, photo_id, write=write)
    refuse_rejected(photo.asset)
    return photo


def _png(data: bytes) -> HttpResponse:
    """What an edit changes must not come out of a cache."""
    return HttpResponse(data, content_type="image/png", headers={"Cache-Control": "private, no-store"})


def _sent(request: Any) -> Mapping[str, Any]:
    """The body's JSON object."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused("bad_body", _("The request's body is no JSON object."))
    return found


def _state_json(request: Any, photo: GarmentPhoto, standing: service.Standing) -> dict[str, Any]:
    asset = photo.asset
    routes = ("save", "reset", "place", "keep", "control")
    return {
        "photo": {
            "id": str(photo.pk),
            "url": media_url(asset, "large" if "large" in asset.thumbs else "original"),
            "width": asset.width,
            "height": asset.height,
        },
        "status": standing.status,
        "seen": standing.seen is not None,
        "start": standing.start,
        "rows": standing.rows,
        "saved": standing.saved is not None,
        "version": standing.version,
        "poses": [_pose_json(pose) for pose in _poses()],
        "urls": {name: reverse(f"catalog:skeleton_{name}", args=[photo.pk]) for name in routes},
        "can_write": bool(request.actor.can_write),
    }


def _poses() -> Any:
    """One's own first, then the library's."""
    rows = Pose.objects.select_related("asset")
    return rows.order_by(F("merchant").asc(nulls_last=True), "position", "id")


def _pose_json(pose: Pose) -> dict[str, Any]:
    return {
        "id": str(pose.pk),
        "label": pose.label,
        "image": pose.picture_url,
        "own": pose.merchant_id is not None,
        "ready": libraries.is_ready(pose),
    }
