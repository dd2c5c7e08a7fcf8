"""A real installation for one test: its own database and folder, real ``manage.py worker`` processes, real kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = os.environ.get("IMODEL_TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/root")
PATIENCE = float(os.environ.get("IMODEL_CHAOS_PATIENCE", "120"))  # only ever waited for by what fails


class House:
    """One installation."""

    def __init__(self, folder: Path, url: str, **env: str) -> None:
        self.folder, self.url = folder, url
        folder.mkdir(parents=True, exist_ok=True)
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("IMODEL_", "DJANGO_"))},
            "DJANGO_SETTINGS_MODULE": "tests.jobs.site",
            "DATABASE_URL": url,
            "IMODEL_DATA": str(folder),
            "IMODEL_GRACE": "1",
            "OMP_NUM_THREADS": "1",
            **env,
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self._drive: subprocess.Popen[str] | None = None

    # --- the web side ---------------------------------------------------------------------------------------------
    def ask(self, op: str, **fields: Any) -> Any:
        """What drive.py can do."""
        if self._drive is None:
            self._drive = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.drive"], cwd=ROOT, env=self.env, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log("drive"),
            )  # fmt: skip
        assert self._drive.stdin and self._drive.stdout
        self._drive.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self._drive.stdin.flush()
        answer = json.loads(self._drive.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["answer"]

    def forget_drive(self) -> None:
        """The next question is asked by a new process, with the environment as it is then."""
        if self._drive is not None:
            self._drive.kill()
            self._drive.wait()
            self._drive = None

    def order(self, *plan: list[Any], merchants: int = 1, each: int = 1) -> list[str]:
        """Errands with one plan."""
        shops = self.ask("merchants", count=merchants)
        jobs = [{"merchant_id": shop, "plan": list(plan)} for _ in range(each) for shop in shops]
        made: list[str] = self.ask("enqueue", jobs=jobs)
        return made

    def until(
        self, ids: list[str], holds: Callable[[list[Any]], bool], what: str, *, model: str = "Errand"
    ) -> list[Any]:
        """The rows of these jobs, once ``holds``; the test fails when that does not come."""
        end = time.monotonic() + PATIENCE
        found: list[Any] = []
        while time.monotonic() < end:
            with suppress(AssertionError):  # the database may be away
                state = self.ask("state", model=model)
                found = [state[job] for job in ids]
                if holds(found):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"waited {PATIENCE:g} s for {what}; {found}\n{self.log()}")

    def until_ended(self, ids: list[str], *, model: str = "Errand") -> list[Any]:
        """When none of them waits or runs."""
        return self.until(ids, lambda jobs: all(map(_ended, jobs)), "the end", model=model)

    def until_running(self, ids: list[str], *, model: str = "Errand") -> dict[str, Any]:
        """When one runs and its runner has begun; its row."""
        found = self.until(ids, lambda jobs: any(map(_under_way, jobs)), "a running job", model=model)
        return next(job for job in found if _under_way(job))

    # --- the worker side ------------------------------------------------------------------------------------------
    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """``manage.py worker``."""
        command = [sys.executable, "manage.py", "worker", *(options or ("--lanes", "light", "--no-executors"))]
        log = self._log("worker")
        worker = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True)
        self.workers.append(worker)
        return worker

    def groups(self, lane: str = "light") -> list[int]:
        """The process groups that the supervisor remembers."""
        with suppress(OSError, ValueError):
            return [int(pid) for pid in json.loads((self.folder / "run" / f"{lane}.json").read_text())]
        return []

    def cluster(self, lane: str = "light") -> dict[str, list[int]]:
        """``main``, ``sentinel`` and the ``rest`` (workers, pusher, monitor) of the lane's cluster, once it is up."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for main in self.groups(lane):
                sentinels = [pid for pid, parent, _group in _processes() if parent == main]
                rest = [pid for pid, parent, _group in _processes() if parent in sentinels]
                if len(sentinels) == 1 and len(rest) >= 3:
                    return {"main": [main], "sentinel": sentinels, "rest": rest}
            time.sleep(0.05)
        raise AssertionError(f"no cluster came up\n{self.log()}")

    def until_logged(self, words: str) -> None:
        """When the worker has said this."""
        end = time.monotonic() + PATIENCE
        while words not in self.log():
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)

    def until_draining(self, lane: str = "light") -> None:
        """When the worker has heard that it should stop."""
        end = time.monotonic() + PATIENCE
        while not (self.folder / "run" / f"{lane}.drain").exists():
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)

    def members(self) -> list[int]:
        """Every process that works for this house, orphans included: they all have its folder in their environment."""
        mark = f"IMODEL_DATA={self.folder}".encode()
        return [pid for pid, _parent, _group in _processes() if mark in _environ(pid) and pid not in self._own()]

    def _own(self) -> set[int]:
        return {self._drive.pid} if self._drive else set()

    def log(self) -> str:
        """The end of what the worker said."""
        file = self.folder / "worker.log"
        return file.read_text(errors="replace")[-6000:] if file.exists() else ""

    def _log(self, name: str) -> Any:
        return (self.folder / f"{name}.log").open("ab")

    def close(self) -> None:
        """End everything, and see that nothing is left."""
        self.forget_drive()
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for pid in self.members():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def gone(pids: list[int], within: float = PATIENCE) -> bool:
    """Whether these processes end."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not [pid for pid in pids if _alive(pid)]:
            return True
        time.sleep(0.05)
    return False


def kill(*pids: int) -> None:
    """SIGKILL, as the kernel does when memory is short."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pid_of(job: dict[str, Any]) -> int:
    """The process that runs a job."""
    return int(job["worker"].rsplit(":", 1)[1])


def _ended(job: dict[str, Any]) -> bool:
    return job["status"] not in ("queued", "running")


def _under_way(job: dict[str, Any]) -> bool:
    return job["status"] == "running" and job["lines"].get("started", 0) >= job["token"]


def _alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _environ(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def _processes() -> Iterator[tuple[int, int, int]]:
    """Of all living ones: pid, parent, group."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    yield int(entry.name), int(fields[1]), int(fields[2])


class Databases:
    """Fresh, migrated databases: migrating once, copying for each house."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._templates: dict[str, str] = {}
        self._made: list[str] = []
        self._places: list[Path] = []

    def place(self) -> Path:
        """A folder for a house, its name short: sockets' paths are at most 108 bytes long."""
        self._places.append(Path(tempfile.mkdtemp(prefix="imj-")))
        return self._places[-1]

    def sqlite(self) -> str:
        """A file."""
        template = self._templates.get("sqlite") or self._migrated(
            "sqlite", f"sqlite:///{self.folder}/template.sqlite3"
        )
        file = self.folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copy(template.removeprefix("sqlite:///"), file)
        return f"sqlite:///{file}"

    def postgres(self) -> str:
        """A database on the server of the tests."""
        if "postgres" not in self._templates:
            self._migrated("postgres", self._created(""))
        return self._created(f'TEMPLATE "{self._templates["postgres"].rsplit("/", 1)[1]}"')

    def _created(self, options: str) -> str:
        name = f"imodel_jobs_{uuid.uuid4().hex[:12]}"
        _server(f'CREATE DATABASE "{name}" {options}')
        self._made.append(name)
        return f"{POSTGRES.rsplit('/', 1)[0]}/{name}"

    def _migrated(self, kind: str, url: str) -> str:
        migrate(self.folder / "template", url)
        self._templates[kind] = url
        return url

    def close(self) -> None:
        """Drop what was made."""
        for name in self._made:
            _server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        for place in self._places:
            shutil.rmtree(place, ignore_errors=True)


def migrate(folder: Path, url: str) -> None:
    """All tables in an empty database."""
    env = House(folder, url).env
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True)


def _server(sql: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(sql)  # type: ignore[call-overload]  # our own names only


def throw_out_everybody(url: str) -> int:
    """What a restart of the server does to its clients; how many there were."""
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s",
            (url.rsplit("/", 1)[1],),
        ).fetchone()
    return int(found[0]) if found else 0
