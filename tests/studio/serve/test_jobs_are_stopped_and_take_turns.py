"""One job at a time: cancelled within a step, queued behind another, and no failure stops the next."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from studio.serve.client import Executor, ExecutorGone, JobError, ping
from tests.studio.serve.conftest import Running, shoot, wait_until

MANY = 60


def painted(executor: Running) -> int:
    return sum(event["stage"] == "painting" for event in executor.told("progress"))


def test_a_cancel_takes_effect_within_a_step_and_leaves_nothing(executor: Running, photo: Path, tmp_path: Path) -> None:
    asked_at: list[int] = []

    def cancel() -> bool:
        if painted(executor) >= 3 and not asked_at:
            asked_at.append(painted(executor))
        return bool(asked_at)

    with pytest.raises(JobError) as caught:
        executor.run(shoot(photo, tmp_path, steps=MANY), should_cancel=cancel)
    assert (caught.value.kind, caught.value.code) == ("cancelled", "cancelled")
    # Steps end while the word is on its way; a job that is not stopped would make all of them.
    assert painted(executor) < MANY // 2
    assert list(tmp_path.iterdir()) == []


def test_a_dropped_connection_cancels_its_job_and_the_next_one_runs(
    executor: Running, photo: Path, tmp_path: Path
) -> None:
    wait_until(lambda: not ping(executor.socket)["busy"])  # the test before counts its job after its answer
    before = ping(executor.socket)["jobs"]

    class Gone(Exception):
        pass

    def leave(event: dict[str, Any]) -> None:
        if event.get("stage") == "painting":
            raise Gone

    with pytest.raises(Gone):
        executor.run(shoot(photo, tmp_path / "a", steps=150), on_event=leave)
    executor.run(shoot(photo, tmp_path / "b"))
    assert executor.told("shot")
    # A job is counted when its thread has let go of it, a moment after its answer has left.
    wait_until(lambda: ping(executor.socket)["jobs"] == before + 2)
    assert list((tmp_path / "a").iterdir()) == []


def test_two_clients_take_turns_and_the_second_is_told_to_wait(executor: Running, photo: Path, tmp_path: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def first(event: dict[str, Any]) -> None:
        if event.get("stage") == "painting":
            started.set()
        order.append(f"{event['id']} {event['event']}")

    def second(event: dict[str, Any]) -> None:
        order.append(f"{event['id']} {event['event']}")

    def run(name: str, listen: Any) -> None:
        Executor(executor.socket).run(
            shoot(photo, tmp_path / name, id=name, steps=12), on_event=listen, should_cancel=lambda: False
        )

    one = threading.Thread(target=run, args=("one", first))
    one.start()
    assert started.wait(60)
    assert ping(executor.socket)["busy"] is True
    run("two", second)
    one.join()
    assert order.count("two waiting") == 1
    assert order.index("two waiting") < order.index("one done") < order.index("two progress")


def test_a_waiting_job_can_be_cancelled_and_never_starts(executor: Running, photo: Path, tmp_path: Path) -> None:
    told: list[str] = []

    def listen(event: dict[str, Any]) -> None:
        if event.get("stage") == "painting" and not told:
            told.append("started")
            with pytest.raises(JobError) as caught:
                Executor(executor.socket).run(
                    shoot(photo, tmp_path / "two", id="two"),
                    on_event=lambda event: told.append(event["event"]),
                    should_cancel=lambda: "waiting" in told,
                )
            assert caught.value.kind == "cancelled"

    executor.run(shoot(photo, tmp_path / "one", steps=12), on_event=listen)
    assert told == ["started", "waiting", "error"]
    assert not (tmp_path / "two").exists()


def test_the_heart_beats_while_nothing_arrives(executor: Running, photo: Path, tmp_path: Path) -> None:
    beats: list[int] = []
    executor.run(shoot(photo, tmp_path), tick=lambda: beats.append(len(executor.events)), tick_seconds=0.01)
    assert len(beats) > len(set(beats)) > 1


@pytest.mark.parametrize(
    ("order", "kind", "code"),
    [
        ({"persona": "nobody"}, "input", "persona_unknown"),
        ({"engine": "nonsense"}, "input", "unknown_weights"),
        ({"engine": "sdxl"}, "weights", "weights_missing"),
        ({"count": "2"}, "input", "order_count_invalid"),
        ({"size": [256]}, "input", "order_size_invalid"),
        ({"kind": "hat"}, "input", "order_kind_invalid"),
        ({"photo": "relative.png"}, "input", "order_photo_invalid"),
        ({"photo": "/nowhere.png"}, "input", "photo_not_found"),
        ({"pose": {"name": "x"}}, "input", "order_pose_invalid"),
        ({"personas": "amelie"}, "input", "order_field_unknown"),
        ({"adapters": [["/none.safetensors", 1.0]]}, "input", "adapter_missing"),
    ],
)
def test_an_order_that_can_not_be_carried_out_is_refused_by_code(
    executor: Running, photo: Path, tmp_path: Path, order: dict[str, Any], kind: str, code: str
) -> None:
    with pytest.raises(JobError) as caught:
        executor.run(shoot(photo, tmp_path / "out", **order))
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_can_not_be_made_is_the_storages_fault(executor: Running, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JobError) as caught:
        executor.run(shoot(photo, tmp_path / "file" / "out"))
    assert (caught.value.kind, caught.value.code) == ("storage", "not_writable")


def test_a_bug_is_told_by_an_id_alone_and_the_next_job_runs(executor: Running, photo: Path, tmp_path: Path) -> None:
    executor.run(shoot(photo, tmp_path / "good"))
    recipe = executor.told("shot")[0]["recipe"]
    # A recipe nobody could have written: found by looking for what the checks let through.
    recipe["mask"]["given"] = "AAAA"
    with pytest.raises(JobError) as caught:
        executor.run({"op": "replay", "id": "bug", "recipe": recipe, "photo": str(photo), "out": str(tmp_path / "b")})
    error = caught.value
    assert (error.kind, error.code, error.retryable) == ("internal", "internal_error", False)
    assert error.incident is not None
    assert error.incident in error.message
    assert "Traceback" not in json.dumps(executor.events)
    logged = [json.loads(line) for line in executor.log.read_text().splitlines() if error.incident in line]
    assert len(logged) == 1
    assert "Traceback" in logged[0]["traceback"]
    assert logged[0]["job"] == "bug"
    executor.run(shoot(photo, tmp_path / "next"))
    assert executor.told("shot")


def test_nobody_there_is_an_executor_gone(tmp_path: Path) -> None:
    with pytest.raises(ExecutorGone):
        Executor(tmp_path / "none").run({"op": "shoot", "id": "x"}, on_event=print, should_cancel=lambda: False)
    with pytest.raises(ExecutorGone):
        ping(tmp_path / "none", 0.1)


def test_two_jobs_of_one_connection_are_done_in_their_order(light: Running, photo: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"op": "propose", "id": name, "photo": str(photo), "out": str(tmp_path / name)}) + "\n"
        for name in ("a", "b")
    ]
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(light.socket))
        link.sendall("".join(lines).encode())
        reader = link.makefile("rb")
        ended = [event["id"] for event in map(json.loads, iter_until(reader, 2)) if event["event"] == "done"]
    assert ended == ["a", "b"]


def iter_until(reader: Any, ends: int) -> list[bytes]:
    lines: list[bytes] = []
    while sum(b'"event":"done"' in line for line in lines) < ends:
        lines.append(reader.readline())
        assert lines[-1], "the executor closed the connection"
    return lines


def test_an_executor_that_is_left_alone_is_idle(executor: Running) -> None:
    wait_until(lambda: ping(executor.socket)["busy"] is False)
    assert ping(executor.socket)["rss"] > 100_000_000
