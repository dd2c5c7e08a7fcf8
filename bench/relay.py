"""A relay between a browser and a server that counts bytes: what comes over the wire, whoever asked for it."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 1 << 16


class Relay(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1 and passes all on to ``target`` there; ``received`` is what came back."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = target
        self.received = 0
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def count(self, size: int) -> None:
        """From any of the connections' threads."""
        with self._lock:
            self.received += size


class _Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Until the server closes; the browser's side has a thread of its own."""
        with socket.create_connection(("127.0.0.1", self.server.target)) as there:
            threading.Thread(target=self._upwards, args=(there,), daemon=True).start()
            for piece in _pieces(there):
                self.server.count(len(piece))
                self.request.sendall(piece)

    def _upwards(self, there: socket.socket) -> None:
        for piece in _pieces(self.request):
            there.sendall(piece)
        _hang_up(there)


def _pieces(source: socket.socket) -> Iterator[bytes]:
    """Until either side hangs up, however rudely: a browser drops connections that it no longer wants."""
    try:
        while piece := source.recv(PIECE):
            yield piece
    except OSError:
        return


def _hang_up(there: socket.socket) -> None:
    try:
        there.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """Closed at the end, with its connections' threads left to die."""
    with Relay(target) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()
