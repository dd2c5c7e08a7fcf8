"""However it ends, no process and no socket stays; and it never takes another one's place."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.serve.client import ExecutorGone, JobError, ping
from tests.studio.serve.conftest import Running, shoot, start, wait_until


def gone(pid: int) -> bool:
    """A zombie is gone: nobody waits for an orphan's child in this container."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_socket_is_its_owners_alone(light: Running) -> None:
    assert stat.S_IMODE(light.socket.stat().st_mode) == 0o600
    assert [path.name for path in light.socket.parent.iterdir() if stat.S_ISSOCK(path.stat().st_mode)] == ["s"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_one_at_once(short_folder: Path, number: signal.Signals) -> None:
    running = start(short_folder, "--light")
    running.process.send_signal(number)
    assert running.process.wait(20) == 0
    assert not running.socket.exists()


def test_sigterm_in_the_middle_of_a_shoot_finishes_nothing(short_folder: Path, photo: Path, tmp_path: Path) -> None:
    running = start(short_folder, "--engine", "mini", "--device", "cpu")
    stages: list[str] = []

    def end(event: dict[str, Any]) -> None:
        stages.append(event.get("stage", event["event"]))
        if event.get("stage") == "painting":
            running.process.terminate()

    with pytest.raises((ExecutorGone, JobError)) as caught:
        running.run(shoot(photo, tmp_path, steps=150), on_event=end)
    assert getattr(caught.value, "kind", "cancelled") == "cancelled"
    assert running.process.wait(20) == 0
    assert not running.socket.exists()
    assert list(tmp_path.iterdir()) == []
    # Asked for at the start, the engine is up, and the first job was told to wait for that and not to load it.
    assert "weights" not in stages


def test_shutdown_over_the_socket_is_the_same(short_folder: Path) -> None:
    running = start(short_folder, "--light")
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(running.socket))
        link.sendall(b'{"op":"shutdown"}\n')
        assert running.process.wait(20) == 0
    assert not running.socket.exists()


def test_a_killed_parent_leaves_no_orphan(short_folder: Path) -> None:
    program = (
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-m', 'studio', 'serve', '--light', '--socket', sys.argv[1],"
        " '--parent', str(os.getpid())])\n"
        "time.sleep(600)"
    )
    running = start(short_folder, command=[sys.executable, "-c", program, str(short_folder / "s")])
    pid = ping(running.socket)["pid"]
    assert pid != running.process.pid
    running.process.kill()
    running.process.wait()
    wait_until(lambda: gone(pid))
    assert not running.socket.exists()


def test_a_parent_that_is_gone_already_is_noticed_at_the_start(short_folder: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    done = serve(short_folder / "s", "--light", "--parent", str(dead.pid))
    assert done.returncode == 0
    assert not (short_folder / "s").exists()


def serve(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "studio", "serve", "--socket", str(path), "--json-errors", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(short_folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(short_folder / "s"))
    running = start(short_folder, "--light")
    second = serve(short_folder / "s", "--light")
    assert second.returncode == 2
    assert json.loads(second.stderr.splitlines()[-1])["code"] == "socket_in_use"
    assert ping(running.socket)["pid"] == running.process.pid
    running.process.terminate()
    running.process.wait()


def test_a_file_that_is_no_socket_is_left_alone(short_folder: Path) -> None:
    precious = short_folder / "s"
    precious.write_text("precious")
    assert serve(precious, "--light").returncode == 2
    assert precious.read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        (["--light", "--engine", "mini"], 2, "option_invalid"),
        (["--engine", "nonsense"], 2, "unknown_weights"),
        (["--threads", "0"], 2, "option_invalid"),
    ],
)
def test_options_that_can_not_be_served_are_refused(
    short_folder: Path, options: list[str], status: int, code: str
) -> None:
    done = serve(short_folder / "s", *options)
    assert done.returncode == status
    assert json.loads(done.stderr.splitlines()[-1])["code"] == code
    assert list(short_folder.iterdir()) == []


def test_stdio_speaks_the_same_and_ends_with_its_input(photo: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "studio", "serve", "--stdio", "--light", "--threads", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        assert process.stdout
        ask = {"op": "propose", "id": "p", "photo": str(photo), "out": str(tmp_path)}
        process.stdin.write(json.dumps(ask).encode() + b"\n")
        process.stdin.flush()
        events = []
        while not events or events[-1]["event"] != "done":
            events.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.wait(20) == 0
    assert events[-1]["parts"]
