"""How far the caller's own work is, and stopping it. A1111 has one job for everybody; here each key sees its own."""

from __future__ import annotations

from typing import Any

from accounts.actors import Actor
from generation import previews, services
from generation.models import Shoot
from generation.surfaces import pictures
from generation.surfaces.a1111.ordering import Task, known, prefix_of
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.jobs.queue import eta_seconds

WAITING = (Status.QUEUED, Status.RUNNING)
PAINTED = (0.0194, 0.9312)  # between these of a job's fraction the steps run (studio.serve.painting, generation.tasks)


def under_way(actor: Actor) -> list[Shoot]:
    """The key's shoots that wait or run, the running ones first, then as they were ordered."""
    rows = Shoot.objects.filter(status__in=WAITING, idempotency_key__startswith=prefix_of(actor)).order_by("id")
    return sorted(rows, key=lambda shoot: shoot.status != Status.RUNNING)


def told(actor: Actor, *, picture: bool) -> dict[str, Any]:
    """``/sdapi/v1/progress``; with the newest preview where ``picture``."""
    shoots = under_way(actor)
    if not shoots:
        return {"progress": 0.0, "eta_relative": 0.0, "state": _state(None, 0), "current_image": None, "textinfo": None}
    first, ended = shoots[0], _ended_beside(shoots[0])
    count = ended + len(shoots)
    shown = previews.newest(first.merchant_id, first.pk) if picture else None
    return {
        # 0 says that nothing is under way, which is not so.
        "progress": max(0.001, round((ended + first.fraction) / count, 4)),
        "eta_relative": float(eta_seconds(first) or 0.0),
        "state": _state(first, count, ended),
        "current_image": pictures.text_of(shown.data) if shown else None,
        "textinfo": first.stage or "waiting",
    }


def _ended_beside(shoot: Shoot) -> int:
    """How many cells of the same request have ended: a plot does not begin anew with each of them."""
    prefix = str(shoot.idempotency_key).rpartition(":")[0] + ":"
    return sum(other.ended for other in known(Task(prefix, "", ""), check=False))


def _state(shoot: Shoot | None, count: int, ended: int = 0) -> dict[str, Any]:
    stopping = shoot is not None and shoot.cancel_requested_at is not None
    steps = _steps(shoot) if shoot else 0
    start, end = PAINTED
    done = 0.0 if shoot is None else min(1.0, max(0.0, (shoot.fraction - start) / (end - start)))
    return {
        "skipped": False,
        "interrupted": stopping,
        "stopping_generation": stopping,
        "job": "" if shoot is None else str(shoot.pk),
        "job_count": count,
        "job_timestamp": "" if shoot is None else shoot.created_at.strftime("%Y%m%d%H%M%S"),
        "job_no": ended,
        "sampling_step": int(done * steps),
        "sampling_steps": steps,
    }


def _steps(shoot: Shoot) -> int:
    return int(shoot.order["body"].get("request", {}).get("steps") or 0)


def interrupt(actor: Actor) -> None:
    """Stop all that the key has under way."""
    for shoot in under_way(actor):
        services.cancel_shoot(actor=actor, shoot=shoot)


def skip(actor: Actor) -> None:
    """Stop the one that runs, if one does; those behind it go on."""
    for shoot in [one for one in under_way(actor) if one.status == Status.RUNNING][:1]:
        services.cancel_shoot(actor=actor, shoot=shoot)


def of_task(actor: Actor, given: dict[str, Any]) -> dict[str, Any]:
    """``/internal/progress``: one request by its ``force_task_id``; one that never was is none of these."""
    name = given.get("id_task")
    shoots = known_as(actor, name) if isinstance(name, str) and name else []
    active = [shoot for shoot in shoots if shoot.status == Status.RUNNING]
    queued = [shoot for shoot in shoots if shoot.status == Status.QUEUED]
    ended = [shoot for shoot in shoots if shoot.ended]
    done = (len(ended) + sum(shoot.fraction for shoot in active)) / len(shoots) if shoots else 0.0
    return {
        "active": bool(active),
        "queued": bool(queued) and not active,
        "completed": bool(shoots) and len(ended) == len(shoots),
        "paused": False,
        "progress": round(done, 4) if shoots else None,
        "eta": eta_seconds(active[0]) if active else None,
        "textinfo": active[0].stage if active else "Waiting..." if queued else None,
        **_live(active, given),
    }


def _live(active: list[Shoot], given: dict[str, Any]) -> dict[str, Any]:
    """The newest preview, unless the caller has it already."""
    shown = previews.newest(active[0].merchant_id, active[0].pk) if active else None
    if shown is None or given.get("live_preview") is False or given.get("id_live_preview") == shown.number:
        return {"live_preview": None, "id_live_preview": shown.number if shown else -1}
    return {"live_preview": f"data:image/webp;base64,{pictures.text_of(shown.data)}", "id_live_preview": shown.number}


def known_as(actor: Actor, name: str) -> list[Shoot]:
    """The shoots of a task, whatever it asked for."""
    return known(Task(prefix_of(actor, name), "", name), check=False)


def pending(actor: Actor) -> dict[str, Any]:
    """``/internal/pending-tasks``: the key's own."""
    waiting = [str(shoot.pk) for shoot in under_way(actor) if shoot.status == Status.QUEUED]
    return {"size": len(waiting), "tasks": waiting}
