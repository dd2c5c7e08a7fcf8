"""What the generate lane does with a shoot: carry the order to the executor, relay, store, publish."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation import previews, publishing
from generation.models import FashnRun, Picture, Shoot
from generation.moderation import looking, states
from generation.surfaces.fashn import carrying as fashn
from imodel_site.lib import storage, workplace
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.registry import runner
from imodel_site.lib.jobs.work import LostLease, Work
from imodel_site.lib.scope import merchant_scope
from studio.errors import InputError
from studio.serve.client import Executor

# The executor is done at 1; putting the files away is the last part of the bar.
PAINTED = 0.97


@runner(Shoot)
def run(work: Work) -> None:
    """Carry out one claimed shoot. Raises whatever ends it: ``carry_out`` knows what each error means."""
    shoot: Shoot = work.job
    try:
        with merchant_scope(shoot.merchant_id), executors.borrow(shoot.lane) as executor:
            _shoot(work, shoot, executor)
    finally:
        previews.forget(shoot.merchant_id, shoot.pk)


@runner(FashnRun)
def run_fashn(work: Work) -> None:
    """In the light lane: fetch the pictures of a call and make an order of it (docs/fashn.md)."""
    with merchant_scope(work.job.merchant_id):
        fashn.carry_out(work)


def _shoot(work: Work, shoot: Shoot, executor: Executor) -> None:
    states.refuse_rejected_source(shoot)
    with workplace.folder(shoot.merchant_id) as out, _body(shoot.order) as body:
        heard = Heard(work)
        message = {"op": shoot.order["op"], "id": f"{shoot.pk}/{work.token}", "out": str(out), **body}
        done = executor.run(message, on_event=heard.event, should_cancel=work.should_stop)
        work.stop_if_asked()
        work.progress("storing", PAINTED)
        shots = publishing.wanted(heard.shots, shoot.order.get("keep"))
        _publish(work, shoot, publishing.store(work, shots, done.get("files") or {}, out=out), done)


def _publish(work: Work, shoot: Shoot, stored: publishing.Stored, done: Mapping[str, Any]) -> None:
    """Rows and status in one transaction; whoever lost the lease meanwhile takes the files back."""

    def write() -> None:
        states.hold_source(shoot)
        looking.pictures_written(Picture.objects.bulk_create(publishing.rows(shoot, work.token, stored)))

    try:
        work.finish(write, table=dict(stored.table), timings=done.get("timings") or {}, count=len(stored.shots))
    except (LostLease, Refused):  # nothing was written; after any other error it may have been: the collector decides
        publishing.drop(stored.keys())
        raise


@dataclass
class Heard:
    """Listens to one job's events: progress and previews are relayed, shots are kept until all are there."""

    work: Work
    shots: list[publishing.Shot] = field(default_factory=list)

    def event(self, event: Mapping[str, Any]) -> None:
        """One event of the executor's."""
        kind = event.get("event")
        if kind == "progress":
            self.work.progress(str(event["stage"]), PAINTED * float(event["fraction"]))
        elif kind == "waiting":
            self.work.progress("waiting", 0.0)
        elif kind == "preview":
            job = self.work.job
            previews.keep(job.merchant_id, job.pk, int(event["n"]), Path(event["file"]))
        elif kind == "shot":
            self.shots.append(publishing.shot_of(event))


@contextmanager
def _body(order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The request with paths in the place of its pictures' storage keys.

    Raises:
        InputError: ``photo_gone``, ``input_gone``: a file was deleted since it was ordered.
    """
    body: dict[str, Any] = copy.deepcopy(order["body"])
    with ExitStack() as opened:
        for place, key in order.get("files", {}).items():
            _set(body, place.split("."), str(opened.enter_context(_local(place, key))))
        yield body


@contextmanager
def _local(place: str, key: str) -> Iterator[Path]:
    with ExitStack() as opened:
        try:
            path = opened.enter_context(storage.local_path(key))
        except FileNotFoundError as error:
            code = "photo_gone" if place.endswith("photo") else "input_gone"
            raise InputError(code, "A file of this order was deleted before the shoot began.") from error
        yield path


def _set(body: Any, place: list[str], value: str) -> None:
    *way, last = place
    for step in way:
        body = body[int(step)] if isinstance(body, list) else body[step]
    if isinstance(body, list):
        body[int(last)] = value
    else:
        body[last] = value
