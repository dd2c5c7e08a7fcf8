"""The database restarted, the secret key changed, the disk full: every job still ends once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.house import Databases, House, migrate, throw_out_everybody

Build = Callable[..., House]
SERVER = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
only_postgres = pytest.mark.parametrize("kind", ["postgres"], indirect=True)


def _once(job: dict[str, Any]) -> None:
    assert job["status"] == "succeeded", job
    assert (job["lines"]["result"], job["lines"]["ended succeeded"]) == (1, 1)
    assert job["lines"]["started"] <= job["token"]


def test_a_backlog_outlives_a_change_of_the_secret_key(build: Build) -> None:
    """django-q2 deletes what it can't verify any more: every wake-up of the backlog."""
    house = build()
    jobs = house.order(["sleep", 0.1], merchants=5)
    house.forget_drive()
    house.env["IMODEL_SECRET_KEY"] = "another-secret-" + "y" * 40
    house.start()
    for job in house.until_ended(jobs):
        _once(job)
        assert job["token"] == 1


@only_postgres
def test_connections_that_are_thrown_out_cost_nobody_a_job(build: Build) -> None:
    house = build(IMODEL_LIGHT_WORKERS="2")
    house.start()
    jobs = house.order(["sleep", 0.6], merchants=8)
    thrown = 0
    while thrown < 4:
        house.until_running(jobs)
        thrown += throw_out_everybody(house.url)
    for job in house.until_ended(jobs):
        _once(job)


@pytest.fixture
def server(databases: Databases) -> Iterator[Callable[..., str]]:
    """A PostgreSQL server of our own: start() gives its address, stop() ends it as a restart would."""
    if SERVER is None:
        pytest.skip("no PostgreSQL server programs here")
    place = Path(tempfile.mkdtemp(prefix="imj-pg-"))
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if owner:
        shutil.chown(place, "postgres")
    control = [*owner, str(SERVER / "pg_ctl"), "-D", str(place / "data"), "-w", "-t", "60", "-l", str(place / "log")]
    port = 20000 + os.getpid() % 20000
    options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": place}
    subprocess.run([*owner, str(SERVER / "initdb"), "-D", str(place / "data"), "-U", "root", "-A", "trust"], **quiet)

    def run(what: str) -> str:
        subprocess.run([*control, "-o", options, "-m", "immediate", what], **quiet)
        return f"postgres://root@127.0.0.1:{port}/postgres"

    yield run
    subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL, cwd=place)
    shutil.rmtree(place, ignore_errors=True)


def test_a_crash_of_the_server_in_the_middle_loses_nothing(server: Callable[[str], str], databases: Databases) -> None:
    """An immediate stop is a crash: the server replays its log at the next start."""
    url = server("start")
    migrate(databases.place(), url)
    house = House(databases.place(), url, IMODEL_LIGHT_WORKERS="2")
    try:
        house.start()
        jobs = house.order(["sleep", 0.5], merchants=8)
        house.until_running(jobs)
        server("stop")
        server("start")
        for job in house.until_ended(jobs):
            _once(job)
    finally:
        house.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 1 MB."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root to mount a small tmpfs")
    place = Path(tempfile.mkdtemp(prefix="imj-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
    place.rmdir()


@pytest.mark.root
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_full_disk_makes_jobs_wait_and_room_lets_them_end(build: Build, small_disk: Path) -> None:
    house = build()
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    jobs = house.order(["write", str(small_disk)])
    house.start()
    house.until(jobs, lambda found: found[0]["token"] >= 5, "more attempts than losses are forgiven")
    ballast.unlink()
    (job,) = house.until_ended(jobs)
    _once(job)
    assert job["losses"] == 0 and (small_disk / f"{jobs[0]}-{job['token']}").stat().st_size == 200_000


@pytest.mark.root
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_full_disk_under_the_database_itself_is_survived(build: Build, small_disk: Path) -> None:
    """The row can't even be told: the lease runs out, and the sweep goes on when there is room."""
    house = build()
    place = Path(house.url.removeprefix("sqlite:///"))
    subprocess.run(["mount", "-o", "remount,size=6m", str(small_disk)], check=True)
    moved = shutil.move(place, small_disk / "rows.sqlite3")
    house.url = house.env["DATABASE_URL"] = f"sqlite:///{moved}"
    jobs = house.order(["sleep", 1.0])
    worker = house.start()
    house.until_running(jobs)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError as error:
            assert error.errno == 28
    house.until_logged("disk is full")
    ballast.unlink()
    (job,) = house.until_ended(jobs)
    _once(job)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
