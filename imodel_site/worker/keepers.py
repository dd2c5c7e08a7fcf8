"""One keeper for each cluster and each executor: starts it, sees whether it works, starts it again, stops it."""

from __future__ import annotations

import logging
import os
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from django.conf import settings

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.executors import sign_of_work, socket_path
from imodel_site.lib.jobs.pace import pace
from imodel_site.worker.children import Child, Children
from imodel_site.worker.cluster import LEASH
from imodel_site.worker.housework import Housework, Pinger

log = logging.getLogger("imodel.worker")
STEADY = 60.0  # after so long a life the next start is delayed the least


class Keeper(ABC):
    """The life of one child process."""

    def __init__(self, name: str, children: Children) -> None:
        self.name, self.children = name, children
        self.child: Child | None = None
        self.started = 0.0
        self._next_start, self._wait = 0.0, 0.5
        self._stopping = False
        self._kill_at = float("inf")

    def tick(self) -> None:
        """Called several times a second."""
        now = time.monotonic()
        if self.child is None:
            if not self._stopping and now >= self._next_start:
                self.started = now
                self.child = self.launch()
        elif not self.child.alive:
            self._clear_up(now)
        elif self._stopping:
            if now >= self._kill_at:
                log.warning("%s did not stop in time and is killed", self.name)
                self.child.kill_group()
        elif self.deaf(now - self.started):
            log.error("%s does not answer and is killed", self.name)
            self.child.kill_group()

    def stop(self, within: float) -> None:
        """Ask it to stop; after ``within`` seconds it is killed. Asking again can only hurry it."""
        if not self._stopping and self.child is not None:
            self.child.ask_to_stop()
        self._stopping = True
        self._kill_at = min(self._kill_at, time.monotonic() + within)

    @property
    def stopped(self) -> bool:
        """Whether nothing of it is left."""
        return self.child is None

    def _clear_up(self, now: float) -> None:
        """The leader has ended: nobody of its group may go on."""
        assert self.child is not None
        self.child.kill_group()
        if not self.child.gone:
            return
        if not self._stopping:
            log.error("%s ended with status %s; it is started again", self.name, self.child.status)
        self._wait = 0.5 if now - self.started > STEADY else min(pace().longest_wait, self._wait * 2)
        self._next_start = now + self._wait
        self.child = None
        self.buried(asked=self._stopping)

    @abstractmethod
    def launch(self) -> Child:
        """Start it."""

    @abstractmethod
    def deaf(self, lived: float) -> bool:
        """Whether it lives without working."""

    def buried(self, *, asked: bool) -> None:  # noqa: B027  most need nothing
        """It and its whole group are gone."""


class ClusterKeeper(Keeper):
    """A lane's django-q2 cluster."""

    def __init__(self, lane: str, children: Children, housework: Housework, *, worker: str, leash: int) -> None:
        super().__init__(f"cluster {lane}", children)
        self.lane, self._housework, self._worker, self._leash = lane, housework, worker, leash
        self._generation = 0
        self._probed: float | None = None

    @property
    def worker(self) -> str:
        """What the names of this generation's workers begin with."""
        return f"{self._worker}.{self._generation}:{self.lane}"

    def launch(self) -> Child:
        """A new generation."""
        self._generation += 1
        self._probed = None
        env = {**os.environ, "Q_CLUSTER_NAME": self.lane, "IMODEL_WORKER": self.worker, LEASH: str(self._leash)}
        command = [sys.executable, "-m", "imodel_site.worker.cluster", self.lane]
        return self.children.start(self.name, command, env=env, cwd=Path(settings.BASE_DIR), keep=[self._leash])

    def deaf(self, lived: float) -> bool:
        """A probe waits, and no worker of the lane gave a sign for too long.

        Beats come from wake-ups, claims and heartbeats: a worker with a long job is no reason to restart, a cluster
        whose processes all live and which passes nothing on is.
        """
        now, silent = time.monotonic(), rundir.age(rundir.path(f"{self.lane}.beat"))
        if silent < pace().probe:
            self._probed = None
        elif self._probed is None:
            rundir.ask_for_sign(self.lane)
            self._probed = now
        patience = pace().deaf if silent < lived else max(pace().deaf, pace().start)
        return self._probed is not None and silent > pace().deaf and now - self._probed > patience

    def buried(self, *, asked: bool) -> None:
        """Its workers are certainly dead: their jobs need not wait for their leases."""
        self._housework.bury(self.lane, self.worker + ":", blame=not asked)


class ExecutorKeeper(Keeper):
    """One resident executor."""

    def __init__(self, lane: str, number: int, children: Children) -> None:
        super().__init__(f"executor {lane}-{number}", children)
        self.lane, self.number = lane, number
        self._pinger: Pinger | None = None

    def launch(self) -> Child:
        """``python -m studio serve``; it ends by itself when we do."""
        path = socket_path(self.lane, self.number)
        # A training reads its family's files anew, so an engine kept beside it would only take memory.
        kind = {"light": ["--light"], "train": []}.get(self.lane, ["--engine", settings.ENGINE])
        command = [sys.executable, "-m", "studio", "serve", "--socket", str(path), "--parent", str(os.getpid()), *kind]
        self._pinger = Pinger(path)
        return self.children.start(self.name, command, env=os.environ, cwd=Path(settings.BASE_DIR))

    def deaf(self, lived: float) -> bool:
        """Neither a pong nor progress of a job for too long."""
        assert self._pinger is not None
        if self._pinger.answered is None:
            return lived > max(pace().start, 3 * pace().ping)
        silent = time.monotonic() - self._pinger.answered
        return min(silent, rundir.age(sign_of_work(self.lane, self.number))) > 3 * pace().ping

    def buried(self, *, asked: bool) -> None:
        """Its pings end with it."""
        if self._pinger is not None:
            self._pinger.close()
