"""`manage.py up`: a second start takes up where the first ended, and only one runs at a time."""

from __future__ import annotations

import os
import signal
import urllib.request
from pathlib import Path

from tests.browser.house import House, open_house


def test_a_second_one_in_the_same_folder_says_where_the_first_is(house: House) -> None:
    second = open_house(house.data)
    assert second.process.wait(60) == 1
    assert f"It is running already at {house.url}" in "\n".join(second.lines)


def test_a_port_that_is_taken_is_named_with_the_way_out(house: House, tmp_path: Path) -> None:
    second = open_house(tmp_path / "var", "--port", str(house.port))
    assert second.process.wait(60) == 1
    assert f"Port {house.port}" in "\n".join(second.lines) and "IMODEL_PORT" in "\n".join(second.lines)


def test_the_page_answers_ready_and_the_terminal_shows_no_secret_but_the_demo_s_own(house: House) -> None:
    with urllib.request.urlopen(f"{house.url}/readyz") as answer:
        assert answer.status == 200
    secret = (house.data / "run" / "secret").read_text()
    logs = "".join(path.read_text() for path in (house.data / "log").glob("*.log"))
    assert secret not in "\n".join(house.lines) + logs
    assert house.credentials()[1] not in logs


def test_start_kill_start_and_stop(tmp_path: Path) -> None:
    """Pages alone, so that it takes seconds: what is prepared stays, and a killed supervisor leaves nobody."""
    data = tmp_path / "var"
    first = open_house(data, "--no-worker", IMODEL_DEMO="0")
    first.wait_for("iModel is running")
    assert "Preparing the database ..." in first.lines
    secret = (data / "run" / "secret").read_text()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = open_house(data, "--no-worker", IMODEL_DEMO="0")
    second.wait_for("iModel is running")
    assert (data / "run" / "secret").read_text() == secret
    assert "Preparing the database ..." not in second.lines
    (web,) = [pid for pid in second.processes() if _is_master(pid)]
    os.kill(web, signal.SIGKILL)
    second.wait_for("web was killed by SIGKILL; starting it again", 30)
    assert second.stop() == 0
    assert second.lines[-1] == "Stopped."
    assert second.processes() == []


def _is_master(pid: int) -> bool:
    """Granian's own process, whose parent is the supervisor; its workers are its children."""
    parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    line = Path(f"/proc/{pid}/cmdline").read_bytes()
    above = Path(f"/proc/{parent}/cmdline").read_bytes()
    return b"granian" in line and b"manage.py\0up" in above
