"""A whole installation in a folder and a database of its own, run by its own commands."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Never what the test run itself uses.
FOREIGN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "IMODEL_STORAGE", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")
TOLD = "TOLD "


@dataclass
class Installation:
    """``database`` is a DATABASE_URL; ``more`` are further variables."""

    data: Path
    database: str
    more: dict[str, str] = field(default_factory=dict)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def environment(self) -> dict[str, str]:
        """Of its processes."""
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return {
            **kept,
            "IMODEL_DATA": str(self.data),
            "DATABASE_URL": self.database,
            "IMODEL_SECRET_KEY": self.secret,
            "IMODEL_HOSTS": "testserver,localhost",
            "IMODEL_HTTPS": "0",
            "IMODEL_LOG": "plain",
            "IMODEL_LOG_LEVEL": "WARNING",
            "OMP_NUM_THREADS": "1",
            **self.more,
        }

    def manage(self, *words: str, status: int = 0) -> str:
        """A management command's output; it must end with ``status``."""
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, code: str) -> Any:
        """Run code inside; what it passes to ``tell`` comes back."""
        said = self.manage(
            "shell", "-v", "0", "-c", f"import json\ntell = lambda v: print({TOLD!r} + json.dumps(v))\n{code}"
        )
        (line,) = [line for line in said.splitlines() if line.startswith(TOLD)]
        return json.loads(line.removeprefix(TOLD))

    @contextmanager
    def worker(self, lanes: str = "generate") -> Iterator[None]:
        """Its worker, for as long as the block runs."""
        command = [sys.executable, str(ROOT / "manage.py"), "worker", "--lanes", lanes]
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT, start_new_session=True)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def until(self, code: str, wanted: Any, what: str) -> None:
        """Wait until the inside tells what is wanted."""
        found, until = None, time.monotonic() + 400
        while time.monotonic() < until:
            if (found := self.ask(code)) == wanted:
                return
            time.sleep(1.0)
        raise AssertionError(f"waited in vain for {what}; last seen: {found}")
