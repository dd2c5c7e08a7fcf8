"""The socket loop: connections in, one job at a time to the job thread, events back, and a quick way out.

One asyncio loop in the main thread does all reading and writing; one other thread does the work. So a ping is answered,
and a cancel or a dropped connection is noticed, while a job computes. Everything here runs in the loop's thread, except
what a job emits: that is handed over by ``call_soon_threadsafe``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import Cancelled, EngineError, InputError, StudioError
from studio.serve.endpoint import Listening, rss, stdio_streams, watch_parent
from studio.serve.jobs import Job, carry_out, log, log_failure, start_engine
from studio.serve.protocol import (
    JOBS,
    LIGHT,
    MAX_LINE,
    Malformed,
    Message,
    Op,
    ask_of,
    decode,
    encode,
    error_event,
    parse,
)
from studio.serve.resident import Resident, gpu_memory

# A job that was cancelled gets this long to let go before the process ends under it.
GRACE_SECONDS = 1.5
MOST_WAITING = 64
# A job that has not begun by then is told that it waits.
PATIENCE_SECONDS = 0.05
# A client that does not read what it asked for is dropped before it fills the memory.
MOST_UNREAD = 64 * 2**20


@dataclass(frozen=True)
class Options:
    """How to serve.

    Attributes:
        socket: path of the Unix socket, None for stdin and stdout.
        engine: brought up at start; None at the first job that needs one.
        light: only proposals and embeddings; no torch, unless photos are to be embedded by one of SAM's sizes.
        device: of the engine.
        parent: end when this process has.
    """

    socket: Path | None
    engine: str | None = None
    light: bool = False
    device: str | None = None
    parent: int | None = None


def serve(options: Options) -> None:
    """Serve until told to stop; the job thread may still be at work when this returns.

    Raises:
        InputError, WeightsError, EngineError: it could not start, or is of no more use.
    """
    asyncio.run(Server(options).run())


class Connection:
    """One client. Closing it, from either end, cancels its jobs."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, transport: asyncio.WriteTransport) -> None:
        self._server, self._reader, self._transport = server, reader, transport
        self._loop = asyncio.get_running_loop()

    async def attend(self) -> None:
        """Read requests until the other end closes, or says what can't be understood."""
        try:
            while line := await self._line():
                try:
                    self._server.take(parse(line), self)
                except Malformed:
                    raise
                except InputError as error:
                    self.send(error_event(_name_in(line), error))
        except Malformed as error:
            self.send(error_event(None, error))
        except (ConnectionError, OSError):
            pass  # it is gone, which is what the lines below are for
        finally:
            self._server.forget(self)
            self._transport.close()

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise Malformed("message_too_long", f"A message is at most {MAX_LINE:,} bytes.") from error
        return line if line.endswith(b"\n") else b""  # cut off: the other end is gone

    def send(self, event: Mapping[str, Any]) -> None:
        """Send an event, from the loop's thread."""
        self._write(encode(event))

    def emit(self, event: Mapping[str, Any]) -> None:
        """Send an event, from any thread; what can't be encoded is that thread's error."""
        line = encode(event)
        with suppress(RuntimeError):  # the loop is closed: nobody is there to hear it
            self._loop.call_soon_threadsafe(self._write, line)

    def _write(self, line: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self._transport.abort()
            return
        self._transport.write(line)


def _name_in(line: bytes) -> str | None:
    """The id of a request that was refused, so that its sender knows which."""
    name = decode(line).get("id")
    return name if isinstance(name, str) else None


class Server:
    """The queue, the job thread and the ways to stop."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._resident = Resident(device=options.device)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="job")
        self._waiting: deque[tuple[Job, Connection]] = deque()
        self._current: tuple[Job, Connection] | None = None
        self._starting = options.engine is not None
        self._done = 0
        self._more, self._idle, self._stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._failure: StudioError | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        watch_parent(self._options.parent, self.stop)
        with Listening.at(self._options.socket) as listening:
            await self._listen(listening)
            self._keep(asyncio.create_task(self._work()))
            log("info", "serving", socket=str(self._options.socket), pid=os.getpid(), light=self._options.light)
            await self._stop.wait()
            listening.close()
            await self._wind_up()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End soon: nothing is finished, the running job is cancelled."""
        self._stop.set()

    async def _listen(self, listening: Listening) -> None:
        if listening.socket is not None:
            await asyncio.start_unix_server(self._connected, sock=listening.socket, limit=MAX_LINE)
            return
        reader, transport = await stdio_streams(MAX_LINE)
        talk = asyncio.create_task(Connection(self, reader, transport).attend())
        talk.add_done_callback(lambda task: self.stop())
        self._keep(talk)

    def _keep(self, task: asyncio.Task[None]) -> None:
        """The loop itself holds its tasks only weakly."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(self, reader, writer.transport).attend()

    def take(self, message: Message, connection: Connection) -> None:
        """A request from a connection.

        Raises:
            InputError: ``op_not_served`` by a light executor.
        """
        if self._options.light and message.op not in LIGHT:
            raise InputError("op_not_served", f"This executor is light and does no {message.op}; ask another one.")
        if message.op in JOBS:
            self._enqueue(message, connection)
        elif message.op is Op.PING:
            connection.send(self._pong(message))
        elif message.op is Op.CANCEL:
            self._cancel(connection, message.id)
        elif message.op is Op.STEER:
            self._steer(connection, message)
        else:
            self.stop()

    def _enqueue(self, message: Message, connection: Connection) -> None:
        assert message.id is not None  # parse() lets no job through without one
        if len(self._waiting) >= MOST_WAITING:
            busy = EngineError("executor_full", "Too many jobs wait here already; try again later.", retryable=True)
            connection.send(error_event(message.id, busy))
            return
        job = Job(message.id, message.op, message.body, connection.emit, threading.Event())
        self._waiting.append((job, connection))
        self._more.set()
        # Not at once: whoever has just read a job's last event is here before the job thread has got home.
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._tell_waiting, job, connection)

    def _tell_waiting(self, job: Job, connection: Connection) -> None:
        if (job, connection) in self._waiting:
            connection.send({"event": "waiting", "id": job.id})

    @property
    def _busy(self) -> bool:
        return self._starting or self._current is not None or bool(self._waiting)

    def _pong(self, message: Message) -> dict[str, Any]:
        pong = {
            "event": "pong",
            "pid": os.getpid(),
            "engine": self._resident.family,
            "busy": self._busy,
            "jobs": self._done,
            "rss": rss(),
            "gpus": gpu_memory(),
        }
        return pong if message.id is None else {**pong, "id": message.id}

    def forget(self, connection: Connection) -> None:
        """A connection is gone, and its jobs with it."""
        self._cancel(connection, None)

    def _cancel(self, connection: Connection, name: str | None) -> None:
        """Cancel a connection's job of that name, or all of them; one that has just ended is no error."""
        meant = [pair for pair in self._waiting if pair[1] is connection and name in (None, pair[0].id)]
        for pair in meant:
            self._waiting.remove(pair)
            connection.send(error_event(pair[0].id, Cancelled()))
        if self._current and self._current[1] is connection and name in (None, self._current[0].id):
            self._current[0].cancelled.set()

    def _steer(self, connection: Connection, message: Message) -> None:
        """Ask something of a connection's own job, running or waiting; one that has just ended is no error."""
        ask = ask_of(message.body)
        for job, owner in (*self._waiting, *([self._current] if self._current else [])):
            if owner is connection and job.id == message.id:
                job.asks.say(ask)

    async def _work(self) -> None:
        """The jobs, one after another, in the one thread of the pool."""
        try:
            await self._start_engine()
            while True:
                await self._more.wait()
                while self._waiting:
                    await self._next()
                self._more.clear()
        except StudioError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001  a bug in here must end the process, or it would sit there deaf
            self._failure = EngineError("internal_error", f"The executor failed: {log_failure(error)}.")
        self.stop()

    async def _start_engine(self) -> None:
        if self._options.engine is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._pool, start_engine, self._resident, self._options.engine)
            self._starting = False

    async def _next(self) -> None:
        self._current = self._waiting.popleft()
        self._idle.clear()
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, carry_out, self._current[0], self._resident)
        finally:
            self._current = None
            self._done += 1
            self._idle.set()

    async def _wind_up(self) -> None:
        """Cancel everything; wait a moment for the running job to let go and to say so."""
        while self._waiting:
            job, connection = self._waiting.popleft()
            connection.send(error_event(job.id, Cancelled()))
        if self._current is not None:
            self._current[0].cancelled.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), GRACE_SECONDS)
