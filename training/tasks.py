"""What workers do for trainings: look at a set, train, paint a grid, look into a file that was brought along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imodel_site.lib import storage, workplace
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.registry import runner
from imodel_site.lib.jobs.work import LostLease, Work
from imodel_site.lib.scope import merchant_scope
from studio.serve.client import JobError
from training import carrying_archives, datasets, gridding, inspecting, listening, resuming
from training.models import AdapterUpload, Checkpoint, Comparison, Preflight, SetArchive, Training
from training.services import adapters, comparisons, preflights, trainings, uploads


@runner(Training)
def train(work: Work) -> None:
    """Carry out one claimed training. Raises whatever ends it: ``carry_out`` knows what each error means."""
    row: Training = work.job
    with merchant_scope(row.merchant_id):
        try:
            with executors.borrow(row.lane) as executor:
                _train(work, row, executor)
        finally:
            if work.ended:
                resuming.forget(row)


def _train(work: Work, row: Training, executor: Any) -> None:
    trainings.refuse_rejected(row)
    out = resuming.place(row, work.token)
    heard = listening.Heard(work, out)
    try:
        done = _learn(work, row, executor, heard)
    except JobError as error:
        if not _stopped_with_nothing(work, error):
            raise
        work.cancelled()
        return
    heard.flush()
    work.stop_if_asked()
    work.progress("storing", listening.TRAINED)
    heard.missed(done["checkpoints"])
    _finish(work, row, done)


def _learn(work: Work, row: Training, executor: Any, heard: listening.Heard) -> Mapping[str, Any]:
    with workplace.folder(row.merchant_id) as folder, _start(row) as start:
        work.progress("pictures", 0.0)
        dataset = datasets.write(row.order, folder)
        done: Mapping[str, Any] = executor.run(
            {
                "op": "train",
                "id": f"{row.pk}/{work.token}",
                "family": row.family,
                "dataset": str(dataset),
                "plan": row.order["plan"],
                "out": str(heard.out),
                "start": None if start is None else str(start),
            },
            on_event=heard.event,
            should_cancel=work.should_stop,
            asks=listening.Asks(work),
        )
    return done


def _stopped_with_nothing(work: Work, error: JobError) -> bool:
    """Whether it was asked to end while it had no checkpoint: an executor has no other answer to that."""
    if error.kind != "cancelled" or work.should_stop():
        return False
    return bool(Training.objects.filter(pk=work.job.pk).exclude(stop_asked_at=None).exists())


@contextmanager
def _start(row: Training) -> Iterator[Path | None]:
    """The adapter that it begins with, as a file of this machine; None when it is begun anew."""
    start = row.order.get("start")
    if not start:
        yield None
        return
    with datasets.local(start["key"]) as path:
        yield path


def _finish(work: Work, row: Training, done: Mapping[str, Any]) -> None:
    """The version and the first grid with the status: all of them, or none."""
    best = int(done["best"])
    facts: dict[str, Any] = {
        "steps_done": int(done["steps"]),
        "choice": dict(done["choice"]),
        "chosen_step": best,
        "stopped_early": bool(done.get("stopped")),
    }

    def write() -> None:
        trainings.refuse_rejected(row)
        checkpoint = Checkpoint.objects.get(training=row, step=best)
        adapters.version_of(checkpoint, by=None, training=row)
        comparisons.first_grid(row, best=best)

    work.finish(write, **facts)


@runner(Preflight)
def look_at_set(work: Work) -> None:
    """Have a set looked at; store the masks that are proposed, then the rows."""
    row: Preflight = work.job
    with merchant_scope(row.merchant_id), workplace.folder(row.merchant_id) as folder:
        asked = inspecting.question(row, folder)
        with executors.borrow(row.lane) as executor:
            done = executor.run(
                {"op": "inspect_set", "id": f"{row.pk}/{work.token}", "out": f"{folder}/out", **asked.message},
                on_event=lambda event: _progress(work, event),
                should_cancel=work.should_stop,
            )
        work.stop_if_asked()
        told = inspecting.told(asked, done)
        kept = preflights.keep_masks(merchant_id=row.merchant_id, told=told, read=lambda path: Path(path).read_bytes())
    found = inspecting.found(asked, done, kept)
    work.finish(lambda: preflights.written(look=row, pictures=asked.pictures, told=kept), found=found)


def _progress(work: Work, event: Mapping[str, Any]) -> None:
    if event.get("event") == "progress":
        work.progress(str(event["stage"]), float(event["fraction"]))


@runner(Comparison)
def compare(work: Work) -> None:
    """Paint a grid; its cells' files first, then the rows."""
    row: Comparison = work.job
    with merchant_scope(row.merchant_id), executors.borrow(row.lane) as executor:
        trainings.refuse_rejected(row.training)
        with workplace.folder(row.merchant_id) as folder, gridding.message(row, folder) as asked:
            heard = Painted(work, row)
            done = executor.run(
                {"op": "compare", "id": f"{row.pk}/{work.token}", "out": f"{folder}/out", **asked},
                on_event=heard.event,
                should_cancel=work.should_stop,
            )
            work.stop_if_asked()
            stored = gridding.store(work, row, heard.cells, done, out=folder / "out")
    try:
        work.finish(lambda: gridding.write(row, stored), best=stored.best, papers=stored.papers)
    except (LostLease, Refused):
        storage.delete(*stored.keys())
        raise


@dataclass
class Painted:
    """Listens to a grid's events; the cells are kept until all are there."""

    work: Work
    row: Comparison
    cells: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def event(self, event: Mapping[str, Any]) -> None:
        """One event of the executor's."""
        if event.get("event") == "cell":
            self.cells[int(event["n"])] = event
        if event.get("event") in ("cell", "progress"):
            share = len(self.cells) / max(1, self.row.cells_total)
            self.work.progress("painting", listening.TRAINED * share)


@runner(SetArchive)
def carry_archive(work: Work) -> None:
    """A set out as a zip, or in from one."""
    row: SetArchive = work.job
    with merchant_scope(row.merchant_id):
        if row.way == SetArchive.Way.OUT:
            carrying_archives.pack(work)
        else:
            carrying_archives.take_in(work)


@runner(AdapterUpload)
def check_upload(work: Work) -> None:
    """Read all of a file and hold its names and shapes against its family; then it is a version."""
    from studio.lora.uploads import check_upload as judge

    row: AdapterUpload = work.job
    with merchant_scope(row.merchant_id), datasets.local(row.key) as path:
        work.progress("checking", 0.1)
        found = judge(path, family=row.family)
        work.stop_if_asked()
        work.finish(lambda: uploads.accepted(row, trigger=found.trigger or ""))
