"""`manage.py up`: prepare, then web and worker of this machine until Ctrl-C. `make run` calls it."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from imodel_site import env, mail
from imodel_site.demo import account
from imodel_site.up.children import Spec
from imodel_site.up.places import OnlyOne, choose_port
from imodel_site.up.prepare import prepare
from imodel_site.up.relay import Relay
from imodel_site.up.supervisor import Supervisor

STREAMS = 12  # open server-sent events, each with a thread of its own besides those that serve pages
WAITERS = 8  # requests that wait for their pictures, likewise (docs/surfaces.md)
WEB_GRACE, WORKER_GRACE = 10.0, 40.0  # the worker hands its running jobs back within 30


class Command(BaseCommand):
    """Stays in the foreground."""

    help = "Prepare what is needed, then run web and worker under one supervisor until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("--host", default=env.text("IMODEL_HOST", "127.0.0.1"), help="address to listen on")
        parser.add_argument("--port", type=int, help="port to listen on; 8000 or the next free one (IMODEL_PORT)")
        parser.add_argument("--no-worker", action="store_true", help="web only")
        parser.add_argument("--verbose-log", action="store_true", help="show every log line, not only what matters")

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        os.umask(0o077)  # rows, logs and pictures of one machine are for the user that runs it
        try:
            sys.exit(self._up(options))
        except KeyboardInterrupt:  # while preparing; each step can be done again
            self._say("Stopped before it was up. The next start goes on from here.")
            sys.exit(130)

    def _up(self, options: dict[str, Any]) -> int:
        alone = OnlyOne(Path(settings.RUN_DIR))
        asked = options["port"] or env.number("IMODEL_PORT", 0, least=0, most=65535) or None
        port = choose_port(options["host"], asked)
        address = _address(port)
        prepare(self._say)
        if settings.IMODEL_DEMO:
            account.ensure(self._say)
        connections.close_all()
        alone.tell(address)
        return self._run(options, port, address)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _run(self, options: dict[str, Any], port: int, address: str) -> int:
        relay = Relay(Path(settings.DATA_DIR) / "log", self._say, verbose=options["verbose_log"])
        specs = [_web(options["host"], port, address)]
        if not options["no_worker"]:
            specs.append(_worker(address))
        watch = _Watch(self._say, address, port)
        status = Supervisor(specs, relay, self._say, watch.tick).run()
        relay.close()
        self._say("Stopped." if status == 0 else "Stopped, because it could not be kept running. See var/log/.")
        return status


def _address(port: int) -> str:
    """What to open in the browser: IMODEL_SITE_URL where somebody set it, else this machine and port."""
    return (
        env.text("IMODEL_SITE_URL")
        or f"http{'s' if settings.HTTPS else ''}://{settings.ALLOWED_HOSTS[0].lstrip('.')}:{port}"
    )


def _environment(address: str) -> dict[str, str]:
    return {**os.environ, "IMODEL_SITE_URL": address, "PYTHONUNBUFFERED": "1"}


def _web(host: str, port: int, address: str) -> Spec:
    workers = env.number("IMODEL_WEB_PROCESSES", 1, least=1, most=64)
    threads = env.number("IMODEL_WEB_THREADS", 4, least=1, most=64)
    streams = env.number("IMODEL_STREAMS", STREAMS, least=0, most=200)
    waiters = env.number("IMODEL_WAITERS", WAITERS, least=0, most=200)
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", str(threads + streams + waiters), "--no-ws"]
    command += [
        "--log-level",
        "warning",
        "--respawn-failed-workers",
        "--workers-kill-timeout",
        "8",
        "imodel_site.wsgi:application",
    ]
    environment = {**_environment(address), "IMODEL_STREAMS": str(streams), "IMODEL_WAITERS": str(waiters)}
    return Spec("web", command, Path(settings.BASE_DIR), environment, WEB_GRACE)


def _worker(address: str) -> Spec:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]
    return Spec("worker", command, Path(settings.BASE_DIR), _environment(address), WORKER_GRACE)


class _Watch:
    """Says once that the pages answer, and reads out the mails that arrive in the folder."""

    def __init__(self, say: Any, address: str, port: int) -> None:
        self.say, self.address, self.port = say, address, port
        self.began, self.greeted = time.monotonic(), False
        self.folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or "/nonexistent")
        self.read = {letter.name for letter in mail.letters(self.folder)}

    def tick(self) -> None:
        """Called about four times a second."""
        if not self.greeted and self._answers():
            self.greeted = True
            self._greet()
        for letter in mail.letters(self.folder):
            if letter.name not in self.read:
                self.read.add(letter.name)
                self.say(f"         mail    {mail.gist(letter)}")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _greet(self) -> None:
        self.say(f"\n    iModel is running:  {self.address}")
        if settings.IMODEL_DEMO:
            known = account.read()
            self.say(f"    e-mail:             {known['email']}\n    password:           {known['password']}")
        self.say("\n    Ctrl-C stops it. Logs: " + str(settings.DATA_DIR / "log") + "\n")
