"""/metrics of a machine that has workers and no web server, on a port of its own (IMODEL_METRICS_PORT).

It tells what this machine knows by itself: the rows are told by the web machines, and need not be asked for twice.
"""

from __future__ import annotations

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from imodel_site.metrics import door, reading

log = logging.getLogger("imodel.metrics")


class _Handler(BaseHTTPRequestHandler):
    timeout = 5  # seconds for somebody who connects and says nothing

    def do_GET(self) -> None:  # http.server's name
        """Metrics, or nothing at all."""
        known = self.path == "/metrics" and door.opens(
            authorization=self.headers.get("Authorization", ""), address=self.client_address[0], forwarded=False
        )
        body = reading.text() if known else b"not found\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST if known else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no news."""


def listen(port: int) -> ThreadingHTTPServer | None:
    """Answer on this port from a thread; None for port 0, and when it is taken: jobs go on without being measured."""
    if not port:
        return None
    try:
        server = ThreadingHTTPServer(("", port), _Handler)
    except OSError as error:
        log.error("no metrics: port %s can not be used (%s)", port, error.strerror)
        return None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
