"""A model hub on loopback: enough of the hub's protocol for huggingface_hub to look files up and download them.

Large files are answered as the real hub does: with their SHA-256 and a redirect to another host (``localhost`` instead
of ``127.0.0.1``), which must never see the token.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = (".safetensors", ".pth")


@dataclass(frozen=True)
class Seen:
    """One request: method, path, where a range began (None for none), and whether a token came along."""

    method: str
    path: str
    start: int | None
    token: str | None


@dataclass
class StandInHub:
    """What is served, how it misbehaves, and what was asked.

    Attributes:
        files: (repo, revision, path) to content.
        stated: content that the stated size and hash are taken from, where they shall differ from what is served.
        broken: path to lengths after which connections are dropped, one per connection.
        stall: paths whose second half never comes; ``stalled`` is set when one is reached.
        before_body: called with the path before a large file's bytes are sent.
        status: path to an error status and the hub's error code.
    """

    files: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    stated: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    broken: dict[str, list[int]] = field(default_factory=dict)
    stall: set[str] = field(default_factory=set)
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    before_body: Callable[[str], None] = lambda path: None
    status: dict[str, tuple[int, str]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def downloads(self, path: str) -> list[Seen]:
        """The GET requests for one file, in order."""
        return [request for request in self.seen if request.method == "GET" and request.path.endswith(path)]


def serve(hub: StandInHub) -> ThreadingHTTPServer:
    """Serve ``hub`` on a free port of the loopback until ``shutdown``."""

    class Handler(_Handler):
        standin = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: StandInHub

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what was asked is in ``seen``."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub = self.standin
        match = re.fullmatch(r"/(cdn/)?([^/]+/[^/]+)/resolve/([0-9a-f]{40})/(.+)", self.path)
        begin = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        token = self.headers.get("Authorization")
        hub.seen.append(Seen(self.command, self.path, int(begin[1]) if begin else None, token))
        if match is None:
            return self._error(404, "RepoNotFound")
        on_cdn, key = bool(match[1]), (match[2], match[3], match[4])
        if key[2] in hub.status:
            return self._error(*hub.status[key[2]])
        if key not in hub.files:
            return self._error(404, "EntryNotFound")
        if key[2].endswith(LARGE) and not on_cdn:
            return self._redirect(key)
        self._send(key, int(begin[1]) if begin else 0, body=body)

    def _error(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _redirect(self, key: tuple[str, str, str]) -> None:
        content = self.standin.stated.get(key, self.standin.files[key])
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{self.standin.port}/cdn{self.path}")
        self.send_header("X-Repo-Commit", key[1])
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, key: tuple[str, str, str], start: int, *, body: bool) -> None:
        content = self.standin.files[key]
        stated = self.standin.stated.get(key, content)
        blob = hashlib.sha1(b"blob %d\0" % len(stated) + stated).hexdigest()
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", key[1])
        self.send_header("ETag", f'"{blob}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            self._send_body(key[2], content[start:])

    def _send_body(self, path: str, content: bytes) -> None:
        hub = self.standin
        hub.before_body(path)
        if hub.broken.get(path):
            self.wfile.write(content[: hub.broken[path].pop(0)])
            self.close_connection = True
        elif path in hub.stall:
            self.wfile.write(content[: len(content) // 2])
            hub.stalled.set()
            hub.go_on.wait(60)
        else:
            self.wfile.write(content)
