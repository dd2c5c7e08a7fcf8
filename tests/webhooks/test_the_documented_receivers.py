"""The receivers of docs/webhooks.md are run as they stand there, and take what is really sent."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.webhooks.conftest import carry, due_now, happened

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
PROGRAMS = {"python": [sys.executable], "javascript": [shutil.which("node") or "node"]}


@contextmanager
def running(language: str, folder: Path, port: int, secret: str) -> Iterator[list[str]]:
    """The page's program; what it printed is there after the block."""
    (source,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)
    file = folder / "receiver.js" if language == "javascript" else folder / "receiver.py"
    file.write_text(source)
    env = {**os.environ, "IMODEL_WEBHOOK_SECRET": secret, "PORT": str(port)}
    said: list[str] = []
    child = subprocess.Popen([*PROGRAMS[language], str(file)], env=env, stdout=subprocess.PIPE, text=True)
    try:
        _until_it_listens(port, child)
        yield said
    finally:
        child.kill()
        said += child.communicate()[0].splitlines()


def _until_it_listens(port: int, child: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        assert child.poll() is None, "it ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("it never listened")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_receiver_takes_real_events_once_and_refuses_forged_ones(
    language: str, cast: Any, endpoint: Any, deliveries: Any, tmp_path: Path
) -> None:
    if language == "javascript" and shutil.which("node") is None:
        pytest.skip("no node here")
    port = free_port()
    made = endpoint(f"http://127.0.0.1:{port}/imodel")
    with running(language, tmp_path, port, made.text) as said:
        subject = happened(cast.atelier, "shoot.succeeded")
        carry()
        _again()
        carry()
        assert _forged(port) == 400
    assert [row.status for row in deliveries()] == ["delivered"]
    assert said == [f"shoot.succeeded {subject}"]


def _again() -> None:
    """As if we had died before writing down that it arrived."""
    from accounts.models import WebhookDelivery
    from accounts.scoping import unscoped

    with unscoped("test"):
        WebhookDelivery.objects.update(status="waiting", ended_at=None)
    due_now()


def _forged(port: int) -> int:
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(time.time())),
        "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/imodel", b"{}", headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    return caught.value.code
