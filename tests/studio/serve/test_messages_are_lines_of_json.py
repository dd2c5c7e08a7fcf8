"""What is no message is answered once and the connection closed; what is only wrong is answered, and that is all."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from studio.serve.client import ping
from studio.serve.protocol import MAX_LINE
from tests.studio.serve.conftest import Running


def say(running: Running, line: bytes) -> list[dict[str, Any]]:
    """Everything the executor answers to a line and a ping after it."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(running.socket))
        link.settimeout(30)
        try:
            link.sendall(line + b"\n" + b'{"op":"ping"}\n')
        except (BrokenPipeError, ConnectionResetError):
            pass
        answers = []
        reader = link.makefile("rb")
        try:
            while answer := reader.readline():
                answers.append(json.loads(answer))
                if answers[-1]["event"] == "pong":
                    break
        except ConnectionResetError:
            pass
        return answers


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"words", "message_not_json"),
        (b"[1]", "message_not_json"),
        (b'{"id":"x"}', "message_not_json"),
        (b'{"op":7}', "message_not_json"),
        (b'{"op":"ping","x":NaN}', "message_not_json"),
        (b"\xff\xfe", "message_not_json"),
        (b"[" * 100_000, "message_not_json"),
        (b'{"op":"ping","x":"' + b"x" * MAX_LINE + b'"}', "message_too_long"),
    ],
)
def test_what_is_no_message_closes_the_connection(light: Running, line: bytes, code: str) -> None:
    answers = say(light, line)
    assert [(answer["event"], answer["kind"], answer["code"]) for answer in answers] == [("error", "input", code)]
    assert ping(light.socket)["event"] == "pong"


@pytest.mark.parametrize(
    ("line", "code", "name"),
    [
        (b'{"op":"dance","id":"x"}', "op_unknown", "x"),
        (b'{"op":"propose"}', "message_id_invalid", None),
        (b'{"op":"propose","id":7}', "message_id_invalid", None),
        (b'{"op":"propose","id":"a\\nb"}', "message_id_invalid", "a\nb"),
        (b'{"op":"shoot","id":"x"}', "op_not_served", "x"),
    ],
)
def test_a_wrong_request_is_answered_and_the_connection_goes_on(
    light: Running, line: bytes, code: str, name: str | None
) -> None:
    error, pong = say(light, line)
    assert (error["code"], error["id"], error["retryable"]) == (code, name, False)
    assert pong["event"] == "pong"


def test_a_message_of_just_the_limit_is_taken(light: Running) -> None:
    frame = b'{"op":"ping","x":"%s"}'
    assert [answer["event"] for answer in say(light, frame % (b"x" * (MAX_LINE - 50)))] == ["pong"]


def test_a_cancel_for_nothing_is_no_error(light: Running) -> None:
    assert [answer["event"] for answer in say(light, b'{"op":"cancel","id":"gone"}')] == ["pong"]


def test_the_client_needs_the_standard_library_alone() -> None:
    program = (
        "import sys, studio.serve.client\n"
        "print(*(m for m in ('numpy', 'PIL', 'asyncio', 'torch', 'cv2') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
