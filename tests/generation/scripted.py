"""A small executor that plays a script over a real socket: a true protocol, and pictures of flat colours."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

from studio.serve.outputs import VARIANTS

# A script is told the request and the link, and says what happens; see `paints` for the usual one.
Script = Callable[["Link", dict[str, Any]], None]


class Gone(Exception):
    """Ends the conversation at once, as a killed executor does."""


class Link:
    """One connection: events out, and whether the client asked to stop."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self.id = ""

    def request(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        line = self._file.readline()
        return json.loads(line) if line else None

    def say(self, event: str, **fields: Any) -> None:
        """An event of the running job."""
        line = json.dumps({"event": event, "id": self.id, **fields}) + "\n"
        self._connection.sendall(line.encode())

    def wait_for_cancel(self) -> None:
        """Until the client sends "cancel"."""
        while (message := self.request()) is not None:
            if message["op"] == "cancel":
                return
        raise Gone


class Scripted:
    """Listens like the executor of a lane. ``script`` may be changed between jobs; ``asked`` keeps every request."""

    def __init__(self, path: Path, script: Script) -> None:
        self.script = script
        self.asked: list[dict[str, Any]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more: without the shutdown a thread in ``accept`` would still take one."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        link = Link(connection)
        with connection, suppress(Gone, OSError):
            while (message := link.request()) is not None:
                if message["op"] == "ping":
                    link.say("pong", pid=0, engine="scripted", busy=False)
                    continue
                if message["op"] == "cancel":  # of a job that has ended
                    continue
                link.id = message["id"]
                self.asked.append(message)
                self.script(link, message)


@contextmanager
def listening(path: Path, script: Script) -> Iterator[Scripted]:
    """A scripted executor for as long as the block runs."""
    found = Scripted(path, script)
    try:
        yield found
    finally:
        found.close()


def paints(link: Link, message: dict[str, Any], *, verdict: str = "good") -> None:
    """What a shoot looks like from outside: stages, a preview, as many pictures as were ordered, done."""
    out = Path(message["out"])
    link.say("progress", stage="pose and mask", fraction=0.02)
    link.say("progress", stage="painting", fraction=0.5)
    (out / "preview.webp").write_bytes(_picture((9, 9, 9), (32, 48), "webp"))
    link.say("preview", file=str(out / "preview.webp"), n=1)
    for event in shots(message, out, verdict=verdict):
        link.say("shot", **event)
    link.say("done", timings={"total": 0.1}, files=papers(out))


def fails(kind: str, code: str, *, retryable: bool) -> Script:
    """A script that ends in an error."""

    def script(link: Link, message: dict[str, Any]) -> None:
        link.say("error", kind=kind, code=code, message=f"studio says {code}", retryable=retryable)

    return script


def waits_for_cancel(link: Link, message: dict[str, Any]) -> None:
    """Paints until it is told to stop."""
    link.say("progress", stage="painting", fraction=0.3)
    link.wait_for_cancel()
    link.say("error", kind="cancelled", code="cancelled", message="Cancelled as asked.", retryable=False)


def dies(link: Link, message: dict[str, Any]) -> None:
    """Gone in the middle of the work."""
    link.say("progress", stage="painting", fraction=0.3)
    raise Gone


def seeds_of(message: Mapping[str, Any]) -> list[int]:
    """One seed for each picture."""
    if message["op"] == "replay":
        return [message["recipe"]["seed"]]
    if message["op"] == "generate":
        request = message["request"]
        count = request["batch_size"] * request["iterations"]
        seed = request["seed"]
        return list(seed) if isinstance(seed, list) else [seed + k for k in range(count)]
    order = message["order"]
    return [order["seed"] + k for k in range(order["count"])]


def shots(message: Mapping[str, Any], out: Path, *, verdict: str = "good") -> list[dict[str, Any]]:
    """The ``shot`` events; a picture's colour is its seed's, so equal seeds make equal files."""
    seeds = seeds_of(message)
    return [_shot(message, out, index, seed, seeds, verdict) for index, seed in enumerate(seeds)]


def _shot(
    message: Mapping[str, Any], out: Path, index: int, seed: int, seeds: list[int], verdict: str
) -> dict[str, Any]:
    colour = (seed % 256, seed // 256 % 256, seed // 65536 % 256)
    files, sizes, hashes = {}, {}, {}
    for name, suffix, side, _quality in VARIANTS:
        size = (64, 96) if side is None or side > 320 else (32, 48)
        data = _picture(colour, size, suffix)
        path = out / f"{index}-{name}.{suffix}"
        path.write_bytes(data)
        files[name], sizes[name], hashes[name] = str(path), list(size), hashlib.sha256(data).hexdigest()
    recipe = {
        "format": 1,
        "seed": seed,
        "photo": {"sha256": "of-the-photo" if "photo" in str(message) else None},
        "batch": {"seeds": seeds, "index": index},
    }
    report = None if message["op"] == "generate" else {"verdict": verdict, "reasons": [], **SECTIONS}
    return {
        "index": index, "seed": seed, "files": files, "sizes": sizes, "sha256": hashes,
        "report": report, "recipe": recipe,
    }  # fmt: skip


SECTIONS = {
    "garment": {"locked_ratio": 1.0, "max_difference": 0, "pixels": 5000, "coverage": 0.9, "measured": True,
                "reason": None},
    "seam": {"measured": False, "reason": "Not asked for."},
    "pose": {"pck": 0.9, "oks": 0.8, "joints": 13, "measured": True, "reason": None},
    "limbs": {"missing": ["left forearm"], "extra": [], "measured": True, "reason": None},
    "outline": {"measured": False, "reason": "Not asked for."},
}  # fmt: skip


def papers(out: Path) -> dict[str, str]:
    """The light table's files."""
    suffixes = {"sheet": "webp", "source": "webp", "mask": "png", "skeleton": "png"}
    for name, suffix in suffixes.items():
        (out / f"{name}.{suffix}").write_bytes(_picture((1, 2, 3), (16, 24), suffix))
    return {name: str(out / f"{name}.{suffix}") for name, suffix in suffixes.items()}


def _picture(colour: tuple[int, int, int], size: tuple[int, int], suffix: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, suffix.upper())
    return buffer.getvalue()
