"""A claimed job in the hands of its runner. Everything it writes carries the claim's token."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.losses import delay_after, hand_back, lose, postpone
from imodel_site.lib.jobs.model import Job, Status
from imodel_site.lib.jobs.pace import pace
from imodel_site.lib.jobs.signals import staged, tell
from imodel_site.lib.jobs.transitions import advance, in_seconds, rows
from studio.errors import Cancelled

log = logging.getLogger("imodel.jobs")
# The database went away, is locked beyond patience, or its disk is full.
TROUBLE = (OperationalError, InterfaceError)


class LostLease(Exception):
    """Somebody else has the job now, or it has ended: whatever this worker made of it is void."""


class Retry(Exception):
    """The machinery failed, not the job: it waits a little and starts again, three times at most.

    Args:
        why: for the log.
        delay: seconds; None takes the usual ones.
    """

    def __init__(self, why: str, *, delay: float | None = None) -> None:
        super().__init__(why)
        self.delay = delay


class Work:
    """Handed to runners. Methods are for the runner's thread, but :meth:`beat`, which is the heartbeat's."""

    def __init__(self, job: Job) -> None:
        """``job``: as the claim left it."""
        self.job: Any = job
        self.token: int = job.token
        self.lane = type(job).lane
        self.ended = False
        self._lost = threading.Event()
        self._cancel = threading.Event()
        self._looked = self._wrote = time.monotonic()
        self._renewed = time.monotonic()
        self._stage = job.stage
        self._entered: float | None = None  # when this run came into the stage; the row may name a lost run's

    # --- while it runs --------------------------------------------------------------------------------------------
    def progress(self, stage: str, fraction: float, *, kept: bool = False) -> None:
        """Say how far it is. Cheap to call often: written when the stage changes, and else twice a second.

        Args:
            stage: a short name, such as ``paint``; the pages translate it.
            fraction: 0..1 of the whole.
            kept: True when a next worker would go on from here (rows of an import): earlier losses are forgiven.
        """
        now = time.monotonic()
        if not kept and stage == self._stage and now - self._wrote < pace().write:
            return
        self._wrote = now
        if stage != self._stage or self._entered is None:
            self._enter(stage, now)
        fields: dict[str, Any] = {"stage": stage[:40], "fraction": min(1.0, max(0.0, fraction)), "progressed_at": Now()}
        if kept:
            fields |= {"losses": 0, "first_loss_at": None}
        try:
            self._renew(**fields)
        except TROUBLE as error:
            log.warning("progress was not written: %s", error)
            connection.close()

    def _enter(self, stage: str, now: float) -> None:
        """Say how long the stage before took."""
        if self._entered is not None:
            tell(staged, type(self.job), stage=self._stage[:40], seconds=now - self._entered)
        self._stage, self._entered = stage, now

    def keep(self, write: Callable[[], object]) -> None:
        """Rows that stay whatever the end will be, in one transaction and only while the claim is ours.

        Raises:
            LostLease: somebody else has the job; nothing was written.
        """
        with transaction.atomic():
            if not list(self._mine().select_for_update().values_list("pk", flat=True)):
                self._lost.set()
                raise LostLease(f"{self.job.pk} under token {self.token}")
            write()

    def should_stop(self) -> bool:
        """Whether to stop now: cancelled, the worker is being stopped, or the lease is lost. Cheap to call often."""
        now = time.monotonic()
        if now - self._looked >= pace().look:
            self._looked = now
            self._look()
        return self._cancel.is_set() or self.lost or self.draining

    def stop_if_asked(self) -> None:
        """Raise ``studio.errors.Cancelled`` when :meth:`should_stop`."""
        if self.should_stop():
            raise Cancelled

    @property
    def lost(self) -> bool:
        """The lease is lost, or was not renewed for so long that it must be taken for lost."""
        return self._lost.is_set() or time.monotonic() - self._renewed > pace().lease

    @property
    def draining(self) -> bool:
        """The worker is being stopped and its grace period is over."""
        deadline = rundir.drain_deadline(self.lane)
        return deadline is not None and time.monotonic() >= deadline

    def beat(self) -> None:
        """Renew the lease; a beat that changes no row stops the work.

        Raises:
            OperationalError, InterfaceError: the database is away.
        """
        if self._renew():
            rundir.beat(self.lane)
            self._look()

    def _renew(self, **fields: Any) -> bool:
        sent = time.monotonic()  # the lease counts from before the database heard of it
        if self._mine().update(lease_until=in_seconds(pace().lease), **fields):
            self._renewed = sent
            return True
        self._lost.set()
        return False

    def _look(self) -> None:
        try:
            found = list(self._mine().values_list("cancel_requested_at", flat=True)[:1])
        except TROUBLE as error:
            log.warning("could not look whether to stop: %s", error)
            connection.close()
            return
        if not found:
            self._lost.set()
        elif found[0] is not None:
            self._cancel.set()

    def _mine(self) -> Any:
        return rows(type(self.job)).filter(pk=self.job.pk, status=Status.RUNNING, token=self.token)

    # --- how it ends ----------------------------------------------------------------------------------------------
    def finish(self, write: Callable[[], object] | None = None, **fields: Any) -> None:
        """Succeeded: status, ``fields``, then ``write``'s rows and ``on_ended``, in one transaction.

        While the database is away it is tried again, so ``write`` may be called more than once: rows only, no files.
        ``job`` is not read afresh.

        Raises:
            LostLease: somebody else has the job; nothing was written.
        """
        self._end(Status.SUCCEEDED, write, fraction=1.0, **fields)

    def fail(self, code: str, message: str, *, retryable: bool) -> None:
        """Failed, with words for the merchant.

        Raises:
            LostLease: somebody else has the job; nothing was written.
        """
        log.info("job failed: %s", code)
        self._end(Status.FAILED, None, error_code=code[:64], error_message=str(message), error_retryable=retryable)

    def cancelled(self) -> None:
        """Stopped because somebody asked for it.

        Raises:
            LostLease: somebody else has the job; nothing was written.
        """
        self._end(Status.CANCELLED, None)

    def give_up(self, why: str, *, delay: float | None = None) -> None:
        """Back to waiting, as a loss."""
        job = self._fresh()
        self.ended = lose(job, why=why, delay=delay_after(job.losses) if delay is None else delay)

    def postpone(self, why: str) -> None:
        """Back to waiting for a while, without blame."""
        self.ended = postpone(self._fresh(), why=why)

    def hand_back(self) -> None:
        """Back to waiting, without blame."""
        self.ended = hand_back(self._fresh())

    def _fresh(self) -> Job:
        found: Job | None = self._mine().first()
        if found is None:
            raise LostLease(f"job {self.job.pk} token {self.token}")
        return found

    def _end(self, to: Status, write: Callable[[], object] | None, **fields: Any) -> None:
        if not self._insist(lambda: self._advance(to, write, fields)):
            self._lost.set()
            raise LostLease(f"job {self.job.pk} token {self.token}")
        self.ended = True
        self._enter("", time.monotonic())

    def _advance(self, to: Status, write: Callable[[], object] | None, fields: dict[str, Any]) -> bool:
        if advance(self.job, to=to, from_=Status.RUNNING, token=self.token, write=write, **fields):
            return True
        # The connection may have broken after the commit and before its answer: then it was us.
        return rows(type(self.job)).filter(pk=self.job.pk, status=to, token=self.token).exists()

    def _insist(self, attempt: Callable[[], bool]) -> bool:
        until = time.monotonic() + pace().hold_on
        while True:
            try:
                return attempt()
            except TROUBLE as error:
                if connection.in_atomic_block or time.monotonic() > until:
                    raise
                log.warning("the end was not written, trying again: %s", error)
                connection.close()
                self._lost.wait(0.5)
