"""One request from its body to its answer: read, ordered, waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.actors import Actor
from generation.models import Shoot
from generation.surfaces import waiting
from generation.surfaces.a1111 import answering, asked, options, ordering, plot, telling
from generation.surfaces.a1111.ordering import Task
from generation.surfaces.waiting import Patience, StillWorking


def run(actor: Actor, given: Mapping[str, Any], *, image: bool) -> dict[str, Any]:
    """Answer a txt2img or img2img request once its pictures are there.

    Raises:
        Refused: something can not be carried out, nothing was ordered; or the shoot failed.
        StillWorking: the time, or the places to wait, are used up; the work goes on, and the same request under the
            same ``force_task_id`` collects it.
    """
    task = ordering.task_of(actor, given, image=image)
    shoots = ordering.known(task)  # by this very request: then nothing of it is read, fetched or resolved again
    request = None if shoots else asked.read(given, image=image, set_options=options.of(actor))
    with waiting.place(actor) as patience:
        if patience is None and request is not None and not request["force_task_id"]:
            raise waiting.full()
        if request is not None:
            shoots = _ordered(actor, request, task)
        if patience is None:
            raise _still(task, shoots, "No place is free to wait for the pictures")
        _wait(task, shoots, patience)
        return answering.response(given, shoots)


def _ordered(actor: Actor, request: asked.Asked, task: Task) -> list[Shoot]:
    """A shoot for each cell."""
    drawn, requests = plot.read(request) if request.plot else (None, [request])
    inputs, warnings = ordering.open_inputs(actor, request)
    cells = [ordering.ready(actor, one, inputs, warnings) for one in requests]
    ordering.refuse(actor, cells)
    shoots = ordering.order(actor, task, cells, inputs, [telling.written(cell, drawn) for cell in cells])
    _keep_options(actor, request)
    return shoots


def _keep_options(actor: Actor, request: asked.Asked) -> None:
    if request["override_settings"] and not request["override_settings_restore_afterwards"]:
        options.keep(actor, request["override_settings"])


def _wait(task: Task, shoots: Sequence[Shoot], patience: Patience) -> None:
    for shoot in shoots:
        if not waiting.until_ended(shoot, patience):
            raise _still(task, shoots, "The pictures are not there yet")


def _still(task: Task, shoots: Sequence[Shoot], why: str) -> StillWorking:
    words = (
        f"{why}; the work goes on. Send the same request again with force_task_id {task.name!r} to collect it: nothing "
        f"is ordered or paid twice. Or follow GET /api/v1/shoots/{shoots[0].pk}, or POST /api/v1/shoots with an "
        "Idempotency-Key and a webhook, which never wait."
    )
    return StillWorking("still_working", words, retryable=True, retry_after=10)
