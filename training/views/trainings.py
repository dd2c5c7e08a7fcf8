"""A training while it runs and afterwards, and the list of them."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.decorators import member_required, writer_required
from accounts.following import stream
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.polling import polled
from imodel_site.lib.streams import Told
from training import grids, plotting, progress, showing, words
from training.access import access_training
from training.models import (
    AdapterVersion,
    Checkpoint,
    Comparison,
    Training,
    TrainingNote,
    TrainingSample,
    TrainingSet,
)
from training.models.grids import Axis
from training.pricing import cost_of_training
from training.services import comparisons, trainings
from training.spending import title_of
from training.watching import watcher

PAGE, NOTES = 30, 60


@member_required
@require_safe
def index(request: Any) -> HttpResponse:
    """Trainings, newest first, and what garments were trained for."""
    rows = Training.objects.select_related("garment").defer("order").order_by("-id")
    before = _cursor(request.GET.get("before"))
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    drafts = TrainingSet.objects.filter(trainings=None).select_related("garment").annotate(count=Count("pictures"))
    context = {
        "rows": showing.listed(found[:PAGE]),
        "older": older,
        "before": before,
        "adapters": [] if before else showing.adapters(),
        "drafts": [] if before else drafts.order_by("-updated_at")[:6],
    }
    return render(request, "training/trainings.html", context)


def _cursor(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


@member_required
@require_safe
def training(request: Any, pk: UUID) -> HttpResponse:
    """How far it is, or what came of it, or why nothing did."""
    found = access_training(request.actor, pk, write=False)
    return render(request, "training/training.html", _context(found))


def _context(found: Training, *, refused: Refused | None = None) -> dict[str, Any]:
    far = progress.of_training(found)
    return {
        "training": found,
        "title": title_of(found),
        "progress": far,
        "failure": far["message"],
        "once": secrets.token_urlsafe(18),
        "refused": str(refused.message) if refused else "",
        **live_parts(found),
        **(_result(found) if found.status == Status.SUCCEEDED else {}),
    }


def live_parts(found: Training) -> dict[str, Any]:
    """What moves: the plot, the figures, the samples, the log."""
    notes = TrainingNote.objects.filter(training=found).order_by("-id")[:NOTES]
    return {
        "training": found,
        "plot": plotting.losses(found),
        "loss_line": plotting.LOSS_LINE,
        "timeline": showing.timeline(found),
        "notes": [(note.created_at, words.note(note.code, note.params)) for note in notes],
        "memory": found.memory_bytes,
        "left": words.minutes(progress.seconds_left(found)) if not found.ended else "",
        "saved": Checkpoint.objects.filter(training=found).count(),
    }


def _result(found: Training) -> dict[str, Any]:
    late = words.overtrained(found.choice)
    version = AdapterVersion.objects.filter(training=found, step=found.chosen_step).select_related("adapter").first()
    return {
        "merits": plotting.merits(found),
        "reasons": words.reasons(found.choice),
        "flags": words.flags(found.choice),
        "overtrained": late,
        "version": version,
        "comparisons": Comparison.objects.filter(training=found).order_by("-id"),
        "axes": Axis.choices,
        "prompt": grids.prompt_of(found),
        "paid": cost_of_training(price=found.price, steps_total=found.steps_total, steps_done=found.steps_done),
    }


@member_required
@require_safe
def live(request: Any, pk: UUID) -> HttpResponse:
    """The moving parts as HTML, for the page that follows."""
    found = access_training(request.actor, pk, write=False)
    return render(request, "training/following.html", live_parts(found) | {"progress": progress.of_training(found)})


@member_required
@require_safe
def training_progress(request: Any, pk: UUID) -> HttpResponse:
    """The JSON; 304 while nothing has changed."""
    return polled(request, told(access_training(request.actor, pk, write=False)))


@member_required
@require_GET
def training_stream(request: Any, pk: UUID) -> HttpResponseBase:
    """The same as events."""
    access_training(request.actor, pk, write=False)
    return stream(
        request,
        watcher=watcher,
        kind="training",
        pk=pk,
        look=lambda actor: told(access_training(actor, pk, write=False)),
    )


def told(found: Training) -> Told:
    """What a page that follows it is told; ``mark`` changes when there is something new to draw."""
    far = progress.of_training(found)
    samples = TrainingSample.objects.filter(training=found).count()
    notes = TrainingNote.objects.filter(training=found).count()
    far |= {
        "mark": f"{found.steps_done}-{samples}-{notes}-{found.status}",
        "next": reverse("training:training", args=[found.pk]) if far["done"] else None,
    }
    return Told(far, last=far["done"])


@writer_required
@require_POST
def act(request: Any, pk: UUID) -> HttpResponse:
    """Stop, cancel, try again, save or sample now."""
    found = access_training(request.actor, pk, write=True)
    deeds = {
        "stop": trainings.stop_training,
        "cancel": trainings.cancel_training,
        "retry": trainings.retry_training,
        "save": lambda **who: trainings.ask_for(**who, save=True),
        "sample": lambda **who: trainings.ask_for(**who, sample=True),
    }
    deed = deeds.get(request.POST.get("action", ""))
    if deed is None:
        raise NotHere
    deed(actor=request.actor, training=found)
    return redirect("training:training", found.pk)


@writer_required
@require_POST
def choose(request: Any, pk: UUID) -> HttpResponse:
    """Another checkpoint than the studio's becomes a version."""
    found = access_training(request.actor, pk, write=True)
    step = request.POST.get("step", "")
    rows = Checkpoint.objects.filter(training=found, step=int(step)) if step.isdecimal() and len(step) < 9 else ()
    checkpoint = next(iter(rows), None)
    if checkpoint is None:
        raise NotHere
    checkpoint.training = found
    version = trainings.choose_checkpoint(actor=request.actor, checkpoint=checkpoint, note=request.POST.get("note", ""))
    said = _("Version %(n)d is made of step %(step)d. Promote it to use it.")
    messages.success(request, said % {"n": version.number, "step": checkpoint.step})
    return redirect("training:adapter", version.adapter_id)


@writer_required
@require_POST
def grid(request: Any, pk: UUID) -> HttpResponse:
    """Paint a grid of one's own."""
    found = access_training(request.actor, pk, write=True)
    try:
        named = ((request.POST.get(f"axis-{n}", ""), request.POST.get(f"values-{n}", "")) for n in "xyz")
        axes = [axis for name, values in named if (axis := showing.parse_axis(name, values))]
        base = {"prompt": request.POST["prompt"]} if request.POST.get("prompt", "").strip() else {}
        made = comparisons.order_comparison(
            actor=request.actor, training=found, axes=axes, base=base, key=request.POST.get("once") or None
        )
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return render(request, "training/training.html", _context(found, refused=refused), status=422)
    return redirect("training:comparison", made.pk)
