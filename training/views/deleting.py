"""Asked first, then gone: adapters, their versions, trainings, records of uploads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.decorators import writer_required
from imodel_site.lib.errors import Refused
from training import showing
from training.access import access_adapter, access_training, access_upload, access_version
from training.models import AdapterVersion, Checkpoint, Comparison
from training.services import deleting
from training.spending import title_of


@dataclass(frozen=True)
class Question:
    """What is asked before, said after; where one goes then, and where one goes who keeps it."""

    title: str
    lost: Sequence[str]
    kept: Sequence[str]
    done: str
    after: str
    back: str


@writer_required
@require_http_methods(["GET", "POST"])
def adapter(request: Any, pk: UUID) -> HttpResponse:
    """A garment's adapter with all its versions."""
    found = access_adapter(request.actor, pk, write=True)
    count = AdapterVersion.objects.filter(adapter=found).count()
    name = showing.name_of(found)
    asked = Question(
        _("Delete what was trained for %(name)s?") % {"name": name},
        [
            ngettext("%(n)d version with its file", "%(n)d versions with their files", count) % {"n": count},
            _("What was in use when"),
        ],
        [_("Pictures that were made with it"), _("Trainings, with their checkpoints")],
        _("The adapter of %(name)s is deleted. Pictures made with it are kept.") % {"name": name},
        reverse("training:trainings"),
        reverse("training:adapter", args=[found.pk]),
    )
    return _answer(request, asked, lambda: deleting.delete_adapter(actor=request.actor, adapter=found))


@writer_required
@require_http_methods(["GET", "POST"])
def version(request: Any, pk: UUID) -> HttpResponse:
    """One version."""
    found = access_version(request.actor, pk, write=True)
    named = {"n": found.number, "name": showing.name_of(found.adapter)}
    back = reverse("training:adapter", args=[found.adapter_id])
    asked = Question(
        _("Delete version %(n)d of %(name)s?") % named,
        [_("The version with its file, note and weight")],
        [_("Pictures that were made with it"), _("The other versions")],
        _("Version %(n)d is deleted. Pictures made with it are kept.") % named,
        back,
        back,
    )
    return _answer(request, asked, lambda: deleting.delete_version(actor=request.actor, version=found))


@writer_required
@require_http_methods(["GET", "POST"])
def training(request: Any, pk: UUID) -> HttpResponse:
    """A training that has ended."""
    found = access_training(request.actor, pk, write=True)
    checkpoints = Checkpoint.objects.filter(training=found).count()
    grids = Comparison.objects.filter(training=found).count()
    lost = [
        ngettext("%(n)d checkpoint", "%(n)d checkpoints", checkpoints) % {"n": checkpoints},
        ngettext("%(n)d grid", "%(n)d grids", grids) % {"n": grids},
        _("Samples, curves and log"),
    ]
    name = {"name": title_of(found)}
    asked = Question(
        _("Delete the training of %(name)s?") % name,
        lost,
        [_("Versions that were made of it; they can be used as before"), _("Its set and its photos")],
        _("The training of %(name)s is deleted. Its versions are kept.") % name,
        reverse("training:trainings"),
        reverse("training:training", args=[found.pk]),
    )
    return _answer(request, asked, lambda: deleting.delete_training(actor=request.actor, training=found))


@writer_required
@require_http_methods(["GET", "POST"])
def upload(request: Any, pk: UUID) -> HttpResponse:
    """The record of a file that was brought along."""
    found = access_upload(request.actor, pk, write=True)
    asked = Question(
        _("Delete the record of %(name)s?") % {"name": found.name},
        [_("What is written of this upload")],
        [_("The version that became of it, if it was taken")],
        _("The record of %(name)s is deleted.") % {"name": found.name},
        reverse("training:trainings"),
        reverse("training:upload_state", args=[found.pk]),
    )
    return _answer(request, asked, lambda: deleting.delete_upload(actor=request.actor, upload=found))


def _answer(request: Any, asked: Question, delete: Callable[[], None]) -> HttpResponse:
    if request.method == "GET":
        return render(request, "training/delete.html", {"asked": asked})
    try:
        delete()
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        context = {"asked": asked, "refused": str(refused.message)}
        return render(request, "training/delete.html", context, status=refused.status)
    messages.success(request, asked.done)
    return redirect(asked.after)
