"""Server-sent events out of a WSGI server's blocking threads (docs/decisions/0010): how many at once, for how long, and
the bytes on the wire.

A stream holds one thread, and nothing else: whoever looks takes its database connection for the look and gives it back.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_cache_control

from imodel_site.lib.errors import Refused

log = logging.getLogger("imodel.streams")

LIFE = 50.0  # seconds; then the browser comes back, and another one may have the thread in between
BEAT = 5.0  # seconds of silence after which a comment is sent: only a write finds out that nobody listens any more
RELOOK = 3.0  # seconds after which it is looked again though no bell rang: the time left changes by itself
RETRY = 1_000  # milliseconds that the browser waits before it comes back
EACH = 3  # streams of one person, so that somebody's many tabs do not leave everybody else to polling


class Bell(Protocol):
    """Rings when there may be something new."""

    def wait(self, seconds: float) -> bool:
        """Until it rings, at most so long; whether it rang. It is silent again afterwards."""

    def close(self) -> None:
        """Nobody listens to it any more."""


@dataclass(frozen=True)
class Told:
    """What one look found. ``last``: nothing will change any more."""

    data: Mapping[str, Any]
    last: bool

    @property
    def tag(self) -> str:
        """The same for the same data: the event's id, and the ETag of who polls instead."""
        return sha256(json.dumps(self.data, sort_keys=True, default=str).encode()).hexdigest()[:32]


class Places:
    """How many streams this process has open, in all and of each person."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[Hashable] = Counter()

    def take(self, person: Hashable, most: int, *, each: int = EACH) -> bool:
        """Whether there was a place."""
        with self._lock:
            if self._taken.total() >= most or self._taken[person] >= each:
                return False
            self._taken[person] += 1
            return True

    def give_back(self, person: Hashable) -> None:
        """As often as it was taken."""
        with self._lock:
            self._taken[person] -= 1
            self._taken += Counter()  # drops who has none

    def __len__(self) -> int:
        return self._taken.total()


places = Places()


@dataclass
class Stream:
    """The body of the answer: the server asks for one piece after the other, and closes it when the browser is gone."""

    look: Callable[[], Told]
    bell: Bell
    known: str = ""
    on_close: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _pieces: Iterator[bytes] | None = field(default=None, repr=False)
    _closed: bool = field(default=False, repr=False)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        if self._pieces is None:
            self._pieces = self._run()
        return next(self._pieces)

    def _run(self) -> Iterator[bytes]:
        """Ends early where the look fails: the browser comes back, and is then told why as any request is."""
        try:
            yield from self._events()
        except Refused as refused:
            log.info("a stream ended: %s", refused.code)
        except Exception:
            log.warning("a stream ended", exc_info=True)

    def _events(self) -> Iterator[bytes]:
        began = sent = self.clock()
        yield f"retry: {RETRY}\n\n".encode()
        while (now := self.clock()) - began < LIFE:
            told = self.look()
            if told.tag != self.known:
                self.known, sent = told.tag, now
                yield event(told)
            elif now - sent >= BEAT:
                sent = now
                yield b": beat\n\n"
            if told.last:
                return
            self._rest(sent)

    def _rest(self, sent: float) -> None:
        """Until the bell rings, or something is due."""
        self.bell.wait(max(0.05, min(RELOOK, sent + BEAT - self.clock())))

    def close(self) -> None:
        """Called by the server at the end, whatever the end was; also when nothing was ever read."""
        if not self._closed:
            self._closed = True
            self.bell.close()
            self.on_close()


def event(told: Told) -> bytes:
    """One event; JSON has no line breaks of its own."""
    return f"id: {told.tag}\ndata: {json.dumps(told.data, default=str)}\n\n".encode()


def answer(*, person: Hashable, look: Callable[[], Told], bell: Callable[[], Bell], known: str) -> HttpResponseBase:
    """The stream, or 204 when no place is free: then the browser does not come back by itself, and the page asks now
    and then instead.
    """
    if not places.take(person, settings.STREAMS):
        return HttpResponse(status=204)
    try:
        stream = Stream(look, bell(), known, on_close=lambda: places.give_back(person))
    except BaseException:
        places.give_back(person)
        raise
    response = StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8")
    response["X-Accel-Buffering"] = "no"  # nginx would keep it until it is over
    patch_cache_control(response, private=True, no_store=True, no_transform=True)
    return response
