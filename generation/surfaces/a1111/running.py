"""One request from its body to its answer: read, ordered, waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.actors import Actor
from generation.models import Shoot
from generation.surfaces import waiting
from generation.surfaces.a1111 import answering, asked, options, ordering, plot
from generation.surfaces.a1111.ordering import Ready, Task
from generation.surfaces.waiting import Patience, StillWorking


def run(actor: Actor, given: Mapping[str, Any], *, image: bool) -> dict[str, Any]:
    """Answer a txt2img or img2img request once its pictures are there.

    Raises:
        Refused: something can not be carried out, nothing was ordered; or the shoot failed.
        StillWorking: the time, or the places to wait, are used up; the work goes on, and the same request under the
            same ``force_task_id`` collects it.
    """
    request = asked.read(given, image=image, set_options=options.of(actor))
    task = ordering.task_of(actor, given, image=image)
    with waiting.place(actor) as patience:
        there = ordering.known(task)
        if not there and patience is None and not given.get("force_task_id"):
            raise waiting.full()
        drawn, cells, shoots = _ordered(actor, request, task, there)
        _keep_options(actor, request)
        if patience is None:
            raise _still(task, shoots, "No place is free to wait for the pictures")
        _wait(task, shoots, patience)
        return answering.response(given, cells, shoots, drawn)


def _ordered(
    actor: Actor, request: asked.Asked, task: Task, there: Sequence[Shoot]
) -> tuple[plot.Plot | None, list[Ready], list[Shoot]]:
    """The cells and their shoots; of a task that was ordered before only what is needed to tell of it."""
    drawn, requests = plot.read(request) if request.plot else (None, [request])
    inputs, warnings = ordering.store_inputs(actor, request, known=bool(there))
    cells = [ordering.ready(actor, one, inputs, warnings) for one in requests]
    return drawn, cells, list(there) or ordering.order(actor, task, cells)


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
