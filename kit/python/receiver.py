"""Receives webhooks, and takes only what iModel signed.

IMODEL_WEBHOOK_SECRET=whsec_... python receiver.py        on 127.0.0.1:8080; PORT changes that
"""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST = 1_000_000


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what is signed, 400 to everything else."""

    webhook: Webhook
    seen: set[str] = set()  # noqa: RUF012  one for all requests; in your database, unique

    def do_POST(self) -> None:
        """An event."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(length, LARGEST))  # the bytes as they came: they are what was signed
        try:
            event = self.webhook.verify(body, dict(self.headers))
        except WebhookVerificationError:
            return self.answer(400)
        identity = self.headers["webhook-id"]
        if identity not in self.seen:  # the same event may come twice
            self.seen.add(identity)
            self.take(event)
        return self.answer(204)

    def take(self, event: dict) -> None:
        """Be quick here: put it into a queue of your own."""
        print(event["type"], event["data"].get("id"), flush=True)

    def answer(self, status: int) -> None:
        """Without a body."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    Receiver.webhook = Webhook(os.environ["IMODEL_WEBHOOK_SECRET"])
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver).serve_forever()
