"""The loop of ``manage.py worker``."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Sequence
from types import FrameType

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.executors import socket_path
from imodel_site.worker import memory
from imodel_site.worker.children import Children, adopt_orphans
from imodel_site.worker.chores import Chores
from imodel_site.worker.courier import Courier
from imodel_site.worker.housework import Housework
from imodel_site.worker.keepers import ClusterKeeper, ExecutorKeeper, Keeper

log = logging.getLogger("imodel.worker")
TICK = 0.1
LONGEST_SOCKET = 100  # of the 108 bytes that sun_path has
AFTER_GRACE = 3.0  # for a job that heard that it should stop, to hand itself back
EXECUTOR_STOP = 3.0
COURIER_STOP = 2.0  # on top of what the others took; a webhook that is cut off is sent again


class Supervisor:
    """Keeps the lanes of this machine going until it is told to stop."""

    def __init__(self, lanes: Sequence[str], *, grace: float, executors: bool) -> None:
        self._lanes, self._grace = tuple(lanes), grace
        self._children, self._housework, self._chores = Children(), Housework(), Chores()
        self._courier = Courier()
        self._signals = 0
        self._occupied = [memory.occupy(lane) for lane in self._lanes]
        _refuse_long_paths(self._lanes)
        # Only we hold the writing end: when we are gone, however that came, all who read see the end of the file.
        self._leash, self._hold = os.pipe()
        worker = f"{socket.gethostname()[:24]}:{secrets.token_hex(4)}"
        self._clusters = [
            ClusterKeeper(lane, self._children, self._housework, worker=worker, leash=self._leash)
            for lane in self._lanes
        ]
        self._executors = [
            ExecutorKeeper(lane, number, self._children)
            for lane in self._lanes
            for number in range(max(1, settings.WORKERS[lane]) if executors else 0)
        ]

    def run(self) -> None:
        """Until SIGTERM or SIGINT; nothing of ours runs afterwards."""
        adopt_orphans()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)
        for lane in self._lanes:
            rundir.stop_draining(lane)
            if memory.bury_leftovers(lane):
                log.warning("ended what an earlier worker of lane %s had left running", lane)
        connections.close_all()
        self._housework.start()
        self._chores.start()
        self._courier.start()
        log.info("worker started: lanes %s", ", ".join(self._lanes))
        self._keep()
        self._wind_up()
        log.info("worker stopped")

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _keep(self) -> None:
        """1. executors first, they load; 2. clusters."""
        known: set[int] = set()
        while not self._signals:
            self._tick([*self._executors, *self._clusters])
            pids = {keeper.child.pid for keeper in (*self._executors, *self._clusters) if keeper.child}
            if pids != known:
                known = pids
                for lane in self._lanes:
                    memory.remember(lane, pids)

    def _tick(self, keepers: Sequence[Keeper]) -> None:
        self._children.reap()
        for keeper in keepers:
            keeper.tick()
        time.sleep(TICK)

    def _wind_up(self) -> None:
        """1. No more claims; 2. running jobs end or are handed back; 3. executors; 4. rows of whoever was killed."""
        self._courier.drain()
        self._drain(self._grace)
        heard = 1  # not self._signals: a second one may have come meanwhile
        while not all(keeper.stopped for keeper in self._clusters):
            self._tick([*self._clusters, *self._executors])
            if self._signals > heard:  # a second signal hurries, a third is not waited for
                self._drain(0.0 if heard == 1 else -AFTER_GRACE)
                heard = self._signals
        for keeper in self._executors:
            keeper.stop(EXECUTOR_STOP)
        while not all(keeper.stopped for keeper in self._executors):
            self._tick(self._executors)
        self._courier.stop(COURIER_STOP)
        self._chores.stop(1.0)
        self._housework.stop(5.0)
        for lane in self._lanes:
            memory.remember(lane, ())
            rundir.path(f"{lane}.beat").unlink(missing_ok=True)  # or the doctor would call us alive for a minute

    def _drain(self, grace: float) -> None:
        log.info("stopping: running jobs have %g s to end", max(0.0, grace))
        for keeper in self._clusters:
            rundir.start_draining(keeper.lane, grace)
            keeper.stop(grace + AFTER_GRACE)


def _refuse_long_paths(lanes: Sequence[str]) -> None:
    longest = max(len(os.fsencode(socket_path(lane, 99))) for lane in lanes)
    if longest > LONGEST_SOCKET:
        raise CommandError(
            f"The paths of the executors' sockets would have {longest} characters of at most {LONGEST_SOCKET}: "
            "choose a shorter IMODEL_DATA."
        )
