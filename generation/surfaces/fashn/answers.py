"""What is said of a run: FASHN's statuses, error names and addresses."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import WebhookEvent
from accounts.models.moderation import Moderation
from generation import words
from generation.models import FashnRun, Picture
from imodel_site.lib import signing, storage
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import Ticket

KIND = "fashn"  # of tickets
FAILED, COMPLETED = "failed", "completed"
OF_RUN = {Status.QUEUED: "in_queue", Status.PAUSED: "in_queue", Status.RUNNING: "starting"}
OF_SHOOT = {Status.QUEUED: "in_queue", Status.PAUSED: "in_queue", Status.RUNNING: "processing"}
OF_BOTH = {Status.SUCCEEDED: COMPLETED, Status.FAILED: FAILED, Status.CANCELLED: "canceled"}
# FASHN's name for what went wrong, by our code; by its beginning where it ends in "_".
NAMES = {
    "photo_rejected": "ContentModerationError",
    "picture_flagged": "ContentModerationError",
    "url_": "ImageLoadError",
    "photo_": "ImageLoadError",
    "image_unreadable": "ImageLoadError",
    "input_gone": "ImageLoadError",
    "pose_": "PoseError",
    "garment_": "PoseError",
    "input_invalid": "InputValidationError",
    "mask_": "InputValidationError",
    "prompt_": "InputValidationError",
    "size_": "InputValidationError",
    "gave_up": "InternalServerError",
    "internal": "InternalServerError",
    "timed_out": "InternalServerError",
}
OTHERS = "PipelineError"
TYPES = {"jpeg": "image/jpeg", "full": "image/png"}


def status_of(run: FashnRun, base: str, *, whole: bool) -> dict[str, Any]:
    """The status object, ``shoot`` loaded.

    Args:
        base: what addresses of files begin with.
        whole: a run that wants base64 gets the pictures themselves; else it gets addresses all the same.
    """
    found = state(run)
    error = _error(run) if found == FAILED else None
    output = list(_output(run, base, whole=whole)) if found == COMPLETED else None
    withheld = _withheld(run) if output == [] and run.shoot is not None else ""
    if withheld:
        found, output, error = FAILED, None, {"name": "ContentModerationError", "message": withheld}
    return {"id": str(run.pk), "status": found, "output": output, "error": error}


def state(run: FashnRun) -> str:
    """In FASHN's words."""
    if run.shoot is not None:
        return (OF_SHOOT | OF_BOTH)[Status(run.shoot.status)]
    return (OF_RUN | OF_BOTH)[Status(run.status)]


def credits_used(run: FashnRun) -> int:
    """What it cost, once it is completed."""
    if run.shoot is None:
        return int(run.price) if run.status == Status.SUCCEEDED else 0
    return int(run.shoot.pictures.aggregate(sum=Sum("cost"))["sum"] or 0)


def _error(run: FashnRun) -> dict[str, str]:
    failed = run if run.shoot is None else run.shoot
    message = failed.error_message if run.shoot is None else words.failure(failed.error_code, failed.error_message)
    return {"name": name_of(failed.error_code), "message": message}


def name_of(code: str) -> str:
    """FASHN's name for a code of ours."""
    if code in NAMES:
        return NAMES[code]
    return next((name for start, name in NAMES.items() if start.endswith("_") and code.startswith(start)), OTHERS)


def _output(run: FashnRun, base: str, *, whole: bool) -> Iterator[str]:
    embedded = whole and run.returns_base64
    if run.shoot is None:
        for place, key in enumerate(run.output):
            yield _embedded(key, "image/png") if embedded else _address(run, KIND, str(place), base)
        return
    for picture in _pictures(run):
        file = picture.files.get(run.variant)
        if file is not None and picture.open_to(bearer=True):
            plain = _address(picture, "picture", run.variant, base)
            yield _embedded(file["key"], TYPES[run.variant]) if embedded else plain


def _withheld(run: FashnRun) -> str:
    """Why moderation hands out none of the pictures; empty where the shop itself deleted them."""
    found = set(_pictures(run).values_list("moderation", flat=True))
    if Moderation.FLAGGED in found:
        return _("Our staff look at these pictures first. They are in your history once they are approved.")
    if Moderation.REJECTED in found:
        return _("These pictures were removed by moderation.")
    return ""


def _pictures(run: FashnRun) -> Any:
    return Picture.objects.filter(shoot=run.shoot_id, deleted_at=None).order_by("index")


def _embedded(key: str, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(storage.read(key)).decode()}"


def _address(row: Any, kind: str, variant: str, base: str) -> str:
    """Written out: the courier, which asks as well, would load the whole site to find it."""
    ticket = Ticket(row.merchant_id, kind, row.pk, variant, signing.next_end(time.time()), bearer=True)
    return f"{base}/media/{signing.seal(ticket)}"


def webhook_body(event: WebhookEvent) -> str:
    """What the address that a call named is sent: the status object, its addresses as fresh as the try."""
    run = FashnRun.objects.select_related("shoot").filter(pk=event.subject_id).first()
    with translation.override(settings.LANGUAGE_CODE):
        told = event.payload if run is None else status_of(run, settings.SITE_URL, whole=False)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def file_of(run: FashnRun, variant: str) -> signing.File | None:
    """For ``/media/``: what a run made without a shoot."""
    place = int(variant) if variant.isascii() and variant.isdigit() and len(variant) < 4 else len(run.output)
    if place >= len(run.output):
        return None
    return signing.File(run.output[place], "image/png", f"{run.pk}-{place}.png")
