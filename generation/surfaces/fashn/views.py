"""``/v1/run``, ``/v1/status/{id}`` and ``/v1/credits``."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.services import credits
from generation.surfaces.fashn import answers, services
from generation.surfaces.fashn.door import body_of, with_key
from generation.surfaces.fashn.inputs import LEGACY, MODELS
from imodel_site.lib.errors import Refused


@with_key(method="POST", calls=50, seconds=60)
def run(request: Any) -> HttpResponse:
    """Take an order; what becomes of it is asked at its status."""
    allow_write(request.actor)  # before anything of it is read
    model_name, inputs = _asked(body_of(request))
    url = request.GET.get("webhook_url", "")
    made = services.start(actor=request.actor, model_name=model_name, inputs=inputs, webhook_url=url)
    return JsonResponse({"id": str(made.pk), "error": None})


def _asked(body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The model's name and its inputs; FASHN's oldest form has no name, and the inputs in their place."""
    if "model_name" not in body and "inputs" not in body:
        return LEGACY, body
    name, inputs = body.get("model_name"), body.get("inputs")
    if not isinstance(name, str) or name not in MODELS:
        words = _("There is no model of this name. Choose one of: %(names)s.") % {"names": ", ".join(MODELS)}
        raise Refused("model_unknown", words, field="model_name")
    if not isinstance(inputs, dict):
        raise Refused("inputs_missing", _("Send the model's inputs as an object."), field="inputs")
    return name, inputs


@with_key(method="GET", calls=50, seconds=10)
def status(request: Any, run_id: str) -> HttpResponse:
    """How a run is, and its pictures once it is completed."""
    found = services.access_run(request.actor, run_id)
    told = answers.status_of(found, request.build_absolute_uri("/").rstrip("/"), whole=True)
    return JsonResponse(told, headers={"x-fashn-credits-used": str(answers.credits_used(found))})


@with_key(method="GET", calls=30, seconds=10)
def balance(request: Any) -> HttpResponse:
    """What may be spent; there is one kind of credits."""
    total = credits.balance(request.actor.merchant)
    return JsonResponse({"credits": {"total": total, "subscription": total, "on_demand": 0}})
