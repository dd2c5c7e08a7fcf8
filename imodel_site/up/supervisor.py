"""Keeps the children running until it is told to stop, and then leaves nobody behind."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from imodel_site.up.children import Child, Sink, Spec, start

TICK = 0.25
HEALTHY = 60.0  # seconds of life after which earlier deaths are forgotten
PAUSES = (0.5, 2.0, 5.0, 10.0, 20.0)  # before each restart; one more death and it gives up
NOBODY = -1


@dataclass
class Post:
    """A place that must be filled: its child, and how often one died young."""

    spec: Spec
    child: Child | None = None
    deaths: int = 0
    again_at: float = 0.0


@dataclass
class Supervisor:
    """``run`` returns the exit status: 0 after a stop that was asked for, 1 after giving up."""

    specs: Sequence[Spec]
    sink: Sink
    say: Callable[[str], None]
    each_tick: Callable[[], None] = lambda: None
    stopping: threading.Event = field(default_factory=threading.Event)
    _asked: deque[float] = field(default_factory=deque)

    def run(self) -> int:
        """Start everybody, watch, stop everybody."""
        posts = [Post(spec) for spec in self.specs]
        self._listen()
        try:
            while not self.stopping.is_set():
                filled = [self._fill(post) for post in posts]  # all of them: none is skipped because one gave up
                if not all(filled):
                    return 1
                self.each_tick()
                self.stopping.wait(TICK)
            return 0
        finally:
            self._stop([post.child for post in posts if post.child is not None])

    def _listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """A second Ctrl-C means: now."""
        self._asked.append(time.monotonic())
        self.stopping.set()

    def _fill(self, post: Post) -> bool:
        """False when it is hopeless."""
        if post.child is None:
            if time.monotonic() >= post.again_at:
                post.child = start(post.spec, self.sink)
            return True
        if post.child.status is None:
            if post.child.age > HEALTHY:
                post.deaths = 0
            return True
        return self._mourn(post, post.child)

    def _mourn(self, post: Post, child: Child) -> bool:
        child.end(time.monotonic())  # whoever it left behind
        post.child, post.deaths = None, post.deaths + 1
        how = _how(child.status if child.status is not None else NOBODY)
        if post.deaths > len(PAUSES):
            self.say(f"{post.spec.name} {how} {post.deaths} times in a row. Giving up. Its last words:")
            for line in child.last_words:
                self.say(f"    {line}")
            return False
        pause = PAUSES[post.deaths - 1]
        post.again_at = time.monotonic() + pause
        self.say(f"{post.spec.name} {how}; starting it again in {pause:g} s.")
        return True

    def _stop(self, children: Sequence[Child]) -> None:
        """All at once, each within its own grace; a second signal ends the grace."""
        for child in children:
            child.ask_to_stop()
        began = time.monotonic()
        while any(child.status is None for child in children) and len(self._asked) < 2:
            if all(time.monotonic() - began > child.spec.grace for child in children if child.status is None):
                break
            time.sleep(0.05)
        for child in children:
            if not child.end(time.monotonic()):
                self.say(f"{child.spec.name} did not stop in time and was killed.")


def _how(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
