"""The other end of the executor's socket. Standard library only, and cheap to import.

    executor = Executor("/run/imodel/executor.sock")
    done = executor.run({"op": "shoot", "id": "7/1", "order": {...}, "out": "/var/.../7/1"},
                        on_event=record, should_cancel=lambda: cancelled, tick=heartbeat)

An :class:`Executor` holds nothing but a path, so any number of threads may share one; each :meth:`Executor.run` is a
connection of its own, and every callback is called in the thread that called ``run``.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from studio.errors import InputError
from studio.serve.protocol import MAX_LINE, decode, encode

# How often ``should_cancel`` is asked while nothing arrives.
POLL_SECONDS = 0.2
CONNECT_SECONDS = 5.0

OnEvent = Callable[[dict[str, Any]], None]


class JobError(Exception):
    """The executor ended the job without a result.

    Attributes:
        kind: ``input`` (the merchant's), ``weights``, ``engine``, ``storage`` (the operator's), ``cancelled``,
            ``internal`` (ours).
        code, message, retryable: as in ``studio.errors``.
        incident: of an internal error, the id under which the executor logged its traceback.
    """

    def __init__(self, kind: str, code: str, message: str, *, retryable: bool, incident: str | None = None) -> None:
        super().__init__(f"{message} [{kind}: {code}]")
        self.kind, self.code, self.message, self.retryable = kind, code, message, retryable
        self.incident = incident


class ExecutorGone(Exception):
    """There is no executor, or it went away in the middle of a job: the same job may succeed with the next one."""

    retryable = True


class Executor:
    """A way to an executor."""

    def __init__(self, socket_path: str | os.PathLike[str]) -> None:
        """``socket_path``: where it listens; looked at only when something is asked."""
        self._path = os.fspath(socket_path)

    def run(
        self,
        message: Mapping[str, Any],
        *,
        on_event: OnEvent,
        should_cancel: Callable[[], bool],
        tick: Callable[[], None] | None = None,
        tick_seconds: float = 1.0,
        asks: Callable[[], str | None] | None = None,
    ) -> dict[str, Any]:
        """Ask for one job and follow it to its end.

        Args:
            message: a job's request, with ``op`` and ``id``.
            on_event: is given every event, the last one too.
            should_cancel: asked after every event and at least each 0.2 s; once it is true the job is cancelled, which
                takes at most one step.
            tick: called at least each ``tick_seconds``, also while nothing arrives. Send heartbeats from here.
            tick_seconds: seconds.
            asks: asked as often as ``should_cancel``; ``"save"``, ``"sample"`` or ``"stop"`` steers a training, None
                asks nothing. Each answer is sent, so it must be given once.

        Returns:
            The ``done`` event.

        Raises:
            JobError: the job failed or was cancelled.
            ExecutorGone: no connection, or it broke.
            InputError, EngineError, ValueError: the message is none (nothing was sent).
            Whatever a callback raises: the connection is closed, and with it the job cancelled.
        """
        line = encode(message)
        with _connected(self._path) as link:
            return _Conversation(link, message, on_event, should_cancel, _Ticker(tick, tick_seconds), asks).hold(line)


def ping(path: str | os.PathLike[str], timeout: float = 2.0) -> dict[str, Any]:
    """The executor's ``pong``: pid, engine, busy, jobs, rss, gpus. It answers while it works, too.

    Raises:
        ExecutorGone: nobody answers within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    with _connected(os.fspath(path), timeout) as link:
        lines = _Lines(link)
        _send(link, encode({"op": "ping"}), deadline)
        while True:
            for event in lines.read(max(0.0, deadline - time.monotonic())):
                if event.get("event") == "pong":
                    return event
            if time.monotonic() >= deadline:
                raise ExecutorGone(f"The executor at {path} did not answer within {timeout:g} s.")


class _Ticker:
    """Calls back at a steady pace, whenever it is asked to look at the clock."""

    def __init__(self, tick: Callable[[], None] | None, seconds: float) -> None:
        self._tick, self._seconds = tick, seconds
        self._due = time.monotonic() + seconds

    def look(self) -> None:
        if self._tick is not None and time.monotonic() >= self._due:
            self._tick()
            self._due = time.monotonic() + self._seconds

    def patience(self) -> float:
        """Seconds to wait for the executor before somebody wants to be asked again."""
        return POLL_SECONDS if self._tick is None else max(0.0, min(POLL_SECONDS, self._due - time.monotonic()))


class _Conversation:
    """One job over one connection."""

    def __init__(
        self,
        link: socket.socket,
        message: Mapping[str, Any],
        on_event: OnEvent,
        should_cancel: Callable[[], bool],
        ticker: _Ticker,
        asks: Callable[[], str | None] | None,
    ) -> None:
        self._link, self._name, self._on_event = link, message.get("id"), on_event
        self._should_cancel, self._ticker, self._asks = should_cancel, ticker, asks
        self._cancelled = False

    def hold(self, line: bytes) -> dict[str, Any]:
        lines = _Lines(self._link)
        _send(self._link, line, time.monotonic() + CONNECT_SECONDS)
        while True:
            self._ask()
            for event in lines.read(self._ticker.patience()):
                self._on_event(event)
                if _ends(event, self._name):
                    return _result(event)
                self._ask()

    def _ask(self) -> None:
        self._ticker.look()
        if self._cancelled:
            return
        if self._should_cancel():
            self._cancelled = True
            self._say({"op": "cancel", "id": self._name})
        elif self._asks is not None and (ask := self._asks()) is not None:
            self._say({"op": "steer", "id": self._name, "ask": ask})

    def _say(self, message: Mapping[str, Any]) -> None:
        _send(self._link, encode(message), time.monotonic() + CONNECT_SECONDS)


class _Lines:
    """Whole messages out of a stream of bytes."""

    def __init__(self, link: socket.socket) -> None:
        self._link, self._buffer = link, bytearray()

    def read(self, timeout: float) -> list[dict[str, Any]]:
        """The messages that are there, or arrive within ``timeout`` seconds; ExecutorGone at the stream's end."""
        if not _ready(self._link, select.POLLIN, timeout):
            return []
        try:
            piece = self._link.recv(1 << 16)
        except OSError as error:
            raise ExecutorGone(f"The connection to the executor broke ({error.strerror}).") from error
        if not piece:
            raise ExecutorGone("The executor closed the connection.")
        self._buffer += piece
        return self._whole(b"\n" in piece)

    def _whole(self, ended: bool) -> list[dict[str, Any]]:
        if not ended:
            if len(self._buffer) > MAX_LINE:
                raise ExecutorGone("The executor sent a message over the limit.")
            return []
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        try:
            return [decode(line) for line in lines if line]
        except InputError as error:
            raise ExecutorGone("The executor sent what is no message.") from error


def _ends(event: Mapping[str, Any], name: object) -> bool:
    """An error without an id is about the connection itself."""
    return event.get("event") in ("done", "error") and event.get("id") in (name, None)


def _result(event: dict[str, Any]) -> dict[str, Any]:
    if event["event"] == "done":
        return event
    raise JobError(
        str(event.get("kind", "internal")),
        str(event.get("code", "internal_error")),
        str(event.get("message", "")),
        retryable=bool(event.get("retryable")),
        incident=event.get("incident"),
    )


def _connected(path: str, timeout: float = CONNECT_SECONDS) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(timeout)
        link.connect(path)
        link.setblocking(False)
    except OSError as error:
        link.close()
        raise ExecutorGone(f"There is no executor at {path} ({error.strerror or error}).") from error
    return link


def _ready(link: socket.socket, wanted: int, timeout: float) -> bool:
    """poll, not select: a worker may well hold more than select's 1,024 descriptors."""
    poll = select.poll()
    poll.register(link, wanted)
    return bool(poll.poll(max(0.0, timeout) * 1000))


def _send(link: socket.socket, line: bytes, deadline: float) -> None:
    """All of a line. One that was refused half-way is no error here: what was said about it is there to be read."""
    left = memoryview(line)
    while left:
        if not _ready(link, select.POLLOUT, deadline - time.monotonic()):
            raise ExecutorGone("The executor takes no message.")
        with suppress(BlockingIOError):
            try:
                left = left[link.send(left) :]
            except (BrokenPipeError, ConnectionResetError):
                return


__all__ = ["Executor", "ExecutorGone", "JobError", "ping"]
