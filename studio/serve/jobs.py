"""Carrying out one job: what each op does, and what a failure says."""

from __future__ import annotations

import json
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.errors import Cancelled, OutOfMemory, StudioError
from studio.serve.protocol import Ask, Op, error_event, internal_event
from studio.serve.resident import Resident

Event = Mapping[str, Any]


class Asks:
    """What a running job was asked and has not done yet; said in the loop's thread, taken in the job's."""

    def __init__(self) -> None:
        self._open: set[Ask] = set()

    def say(self, ask: Ask) -> None:
        """Ask; twice before it is done is once."""
        self._open.add(ask)

    def take(self, ask: Ask) -> bool:
        """Whether it was asked; only once for each time."""
        if ask not in self._open:
            return False
        self._open.discard(ask)
        return True


@dataclass(frozen=True, eq=False)
class Job:
    """One job: the request's fields, where events go (from the job thread), and whether it is still wanted."""

    id: str
    op: Op
    body: Mapping[str, Any]
    emit: Callable[[Event], None]
    cancelled: threading.Event
    asks: Asks = field(default_factory=Asks)

    def tell(self, event: str, **fields: Any) -> None:
        """An event of this job."""
        self.emit({"event": event, "id": self.id, **fields})

    def progress(self, stage: str, fraction: float) -> None:
        """How far it is, 0..1 of the whole."""
        self.tell("progress", stage=stage, fraction=round(fraction, 4))

    def stop_if_asked(self) -> None:
        """Raise :class:`Cancelled` once nobody wants it any more."""
        if self.cancelled.is_set():
            raise Cancelled


def carry_out(job: Job, resident: Resident) -> None:
    """Do a job to its last event, ``done`` or ``error``; raises only when the whole process is of no more use.

    Raises:
        EngineError: ``device_lost``.
    """
    try:
        job.stop_if_asked()
        job.tell("done", **_handler(job.op)(job, resident))
    except StudioError as error:
        job.emit(error_event(job.id, error))
    except MemoryError:
        resident.let_go()
        job.emit(error_event(job.id, OutOfMemory("The machine ran out of memory. Try again, or order less at once.")))
    except Exception as error:  # noqa: BLE001  whatever it is, the next job must find the executor serving
        resident.let_go()
        job.emit(internal_event(job.id, log_failure(error, job=job.id, op=job.op)))
        resident.require_device()


def start_engine(resident: Resident, family: str) -> None:
    """Bring up an engine before anybody asks for it, and import now what the first job would wait for."""
    from studio.serve import painting  # noqa: F401  1 s of imports

    resident.crew(family)


def log_failure(error: BaseException, **about: object) -> str:
    """One line of JSON on stderr with the traceback; the incident's id."""
    incident = secrets.token_hex(4)
    log("error", "internal_error", incident=incident, **about, traceback="".join(traceback.format_exception(error)))
    return incident


def log(level: str, event: str, **fields: object) -> None:
    """One line of JSON on stderr."""
    sys.stderr.write(json.dumps({"level": level, "event": event, **fields}, ensure_ascii=False, default=str) + "\n")
    sys.stderr.flush()


def _handler(op: Op) -> Callable[[Job, Resident], Event]:
    """What does the work of an op; the ops of an executor that is light never import the other ones' modules."""
    if op is Op.PROPOSE:
        from studio.serve.proposing import propose

        return propose
    if op is Op.EMBED:
        from studio.serve.embedding import embed

        return embed
    if op is Op.INSPECT_SET:
        from studio.serve.inspecting_sets import inspect_set

        return inspect_set
    return _torch_handler(op)


def _torch_handler(op: Op) -> Callable[[Job, Resident], Event]:
    if op is Op.TRAIN:
        from studio.serve.training import train

        return train
    if op is Op.COMPARE:
        from studio.serve.comparing import compare

        return compare
    from studio.serve import painting

    return {Op.SHOOT: painting.shoot, Op.REPLAY: painting.replay, Op.GENERATE: painting.generate}[op]
