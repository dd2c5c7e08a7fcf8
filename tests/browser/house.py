"""The real thing under test: `manage.py up` in a folder and on a port of its own, as a newcomer starts it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from imodel_site import mail

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds for the first start on a machine that does much else
CONFIGURED = ("IMODEL_", "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "DJANGO_")


@dataclass
class House:
    """Web and worker under their supervisor; what it says is kept."""

    data: Path
    port: int
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.port}"

    def read(self) -> None:
        """Runs in a thread of its own."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.heard:
                self.lines.append(line.rstrip("\n"))
                self.heard.notify_all()
        with self.heard:
            self.heard.notify_all()

    def wait_for(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """The first line that matches; fails with everything said so far."""
        deadline = time.monotonic() + seconds
        with self.heard:
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found
                if self.process.poll() is not None or not self.heard.wait(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"{pattern!r} was not said:\n" + "\n".join(self.lines))

    def credentials(self) -> tuple[str, str]:
        """As the terminal shows them."""
        return self.wait_for(r"e-mail:\s+(\S+)").group(1), self.wait_for(r"password:\s+(\S+)").group(1)

    def code_for(self, address: str) -> str:
        """The code of the newest mail, as the terminal reads it out."""
        return self.wait_for(rf"Mail to {re.escape(address)}: .* the code is (\S+)", 30).group(1)

    def letters(self) -> list[Path]:
        """The mails that were sent."""
        return mail.letters(self.data / "mail")

    def stop(self) -> int:
        """Ctrl-C, as a person would."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    def processes(self) -> list[int]:
        """Everybody on this machine whose environment names this house's folder."""
        needle = f"IMODEL_DATA={self.data}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if needle in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


def open_house(data: Path, *arguments: str, **environment: str) -> House:
    """Start it; ``environment`` on top of an unconfigured one."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURED)}
    clean |= {"IMODEL_DATA": str(data), "PYTHONUNBUFFERED": "1", **environment}
    clean.pop("OMP_NUM_THREADS", None)  # the shoot may use both cores
    command = [sys.executable, "manage.py", "up", "--port", str(port), *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    house = House(data, port, process)
    threading.Thread(target=house.read, daemon=True).start()
    return house


def free_port() -> int:
    """One that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
