"""The clients of kit/: generated from today's schema, and used as a shop would, against a live server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from imodel_site.schema import schema_text
from tests.api.conftest import Program, count, house, library, shop  # noqa: F401  # fixtures
from tests.api.test_the_guide_is_true import worker  # noqa: F401  # the fixture
from tests.generation.conftest import executor, png  # noqa: F401  # the fixture
from tests.webhooks.conftest import carry, endpoint, happened  # noqa: F401  # the fixture
from tools.clients import CLIENTS, ROOT, TYPES, python_client

FRONTEND = ROOT / "frontend"
NODE = shutil.which("node")

PYTHON = """
import os, sys
from imodel_shop import Refused, Shop
shop = Shop(os.environ["IMODEL_URL"], os.environ["IMODEL_KEY"])
photo = shop.photograph("dress.png", name="Poppy dress", sku="PD-17")
orders = [shop.submit(photo, once="order-1", count=2) for _twice in range(2)]
assert orders[0].id == orders[1].id
files = shop.download(shop.wait(orders[0], seconds=60), "pictures")
print(len(files), all(file.read_bytes().startswith(b"\\x89PNG") for file in files))
try:
    shop.submit(photo, once="order-2", outfit="x" * 200, count=8, best_of=8)
except Refused as refused:
    print(refused.code, refused.retryable)
"""
TYPESCRIPT = """
import { readFile } from "node:fs/promises";
import { Refused, Shop } from "./imodel.js";
const shop = new Shop(process.env.IMODEL_URL!, process.env.IMODEL_KEY!);
const photo = await shop.photograph("dress.png", { name: "Poppy dress", sku: "PD-18" });
const orders = [await shop.submit(photo, "order-3", { count: 2 }), await shop.submit(photo, "order-3", { count: 2 })];
if (orders[0]!.id !== orders[1]!.id) throw new Error("two orders");
const files = await shop.download(await shop.wait(orders[0]!, 60), "pictures");
const starts = await Promise.all(files.map(async (file) => (await readFile(file)).subarray(1, 4).toString()));
console.log(files.length, starts.every((start) => start === "PNG"));
try {
  await shop.submit(photo, "order-4", { count: 8, best_of: 8 });
} catch (error) {
  if (error instanceof Refused) console.log(error.code, error.retryable);
}
"""
SAID = "2 True\ncount_out_of_range False\n"


@pytest.fixture(scope="session")
def python_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A developer's folder with the Python client in it."""
    desk = tmp_path_factory.mktemp("python")
    python_client(schema_text("json"), desk)
    for name in ("imodel_shop.py", "receiver.py"):
        shutil.copy(CLIENTS / "python" / name, desk)
    (desk / "dress.png").write_bytes(png((30, 90, 160)))
    return desk


@pytest.fixture(scope="session")
def typescript_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with the TypeScript client, compiled under strict types."""
    if NODE is None or not (FRONTEND / "node_modules" / "openapi-fetch").is_dir():
        pytest.skip("node and frontend/node_modules are not there")
    desk = tmp_path_factory.mktemp("typescript")
    for name in ("imodel.ts", "receiver.ts", "tsconfig.json", "package.json"):
        shutil.copy(CLIENTS / "typescript" / name, desk)
    shutil.copy(TYPES, desk / "schema.d.ts")
    (desk / "node_modules").symlink_to(FRONTEND / "node_modules")
    (desk / "use.ts").write_text(TYPESCRIPT)
    (desk / "dress.png").write_bytes(png((30, 90, 161)))
    run([NODE, str(FRONTEND / "node_modules" / "typescript" / "bin" / "tsc")], desk)
    return desk


def run(command: list[str], desk: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=desk,
        env={**os.environ, "no_proxy": "*", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_pythons_client_from_a_photo_to_files(shop: Program, live_server: Any, worker: None, python_desk: Path) -> None:  # noqa: F811
    known = {"IMODEL_URL": live_server.url, "IMODEL_KEY": shop.key}
    assert run([sys.executable, "-c", PYTHON], python_desk, **known) == SAID


@pytest.mark.django_db(transaction=True)
def test_typescripts_client_from_a_photo_to_files(
    shop: Program,  # noqa: F811
    live_server: Any,
    worker: None,  # noqa: F811
    typescript_desk: Path,
) -> None:
    known = {"IMODEL_URL": live_server.url, "IMODEL_KEY": shop.key}
    assert run([str(NODE), "built/use.js"], typescript_desk, **known) == SAID.replace("True", "true").replace(
        "False", "false"
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def listening(command: list[str], desk: Path, port: int, secret: str) -> Iterator[list[str]]:
    """A receiver; what it printed is there after the block."""
    env = {**os.environ, "IMODEL_WEBHOOK_SECRET": secret, "PORT": str(port)}
    said: list[str] = []
    child = subprocess.Popen(command, cwd=desk, env=env, stdout=subprocess.PIPE, text=True)
    try:
        _until_it_listens(port, child)
        yield said
    finally:
        child.kill()
        said += child.communicate()[0].splitlines()


def _until_it_listens(port: int, child: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert child.poll() is None, "it ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("it never listened")


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["python", "typescript"])
def test_its_receiver_takes_what_is_signed_and_nothing_else(
    language: str,
    request: pytest.FixtureRequest,
    settings: Any,
    cast: Any,
    endpoint: Any,  # noqa: F811
) -> None:
    settings.WEBHOOK_HTTP = True
    desk: Path = request.getfixturevalue(f"{language}_desk")
    command = [sys.executable, "receiver.py"] if language == "python" else [str(NODE), "built/receiver.js"]
    port = free_port()
    made = endpoint(f"http://127.0.0.1:{port}/")
    with listening(command, desk, port, made.text) as said:
        subject = happened(cast.atelier)
        carry()
        forged = httpx.post(
            f"http://127.0.0.1:{port}/",
            content=b'{"type": "forged", "data": {}}',
            headers={"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"},
        )
        assert forged.status_code == 400 and httpx.post(f"http://127.0.0.1:{port}/", content=b"{}").status_code == 400
    assert said == [f"shoot.succeeded {subject}"]
