"""Two shops with keys, a server that listens, and workers: what a client written for A1111 meets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from PIL import Image, ImageDraw

from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.registry import discover, runner_of
from studio.serve.client import ExecutorGone, ping
from tests.cast import Cast
from tests.generation import scripted
from tests.generation.conftest import library  # noqa: F401  # a fixture

SMALL = {"width": 64, "height": 96, "steps": 2, "sampler_name": "DDIM"}


@dataclass(frozen=True)
class Shop:
    """A merchant, who owns it, and the text of a key that may write and of one that may read."""

    merchant: Any
    owner: Any
    key: str
    read_key: str

    @property
    def basic(self) -> tuple[str, str]:
        """Name and password: the key's id, and what follows it."""
        return self.key[:21], self.key[21:]


def shop_of(merchant: Any, owner: Any) -> Shop:
    """With new keys."""
    with merchant_scope(merchant):
        keys = [
            make_key(merchant=merchant, by=owner, name=scope, scope=scope, store="", live=True, lifetime=None).text
            for scope in ("write", "read")
        ]
    return Shop(merchant, owner, *keys)


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    """Enough places to wait, and no limits left over from the test before."""
    settings.WAITERS, settings.WAIT_SECONDS = 8, 120
    cache.clear()


@pytest.fixture
def atelier(cast: Cast) -> Shop:
    """Alice's."""
    return shop_of(cast.atelier, cast.alice)


@pytest.fixture
def bazaar(cast: Cast) -> Shop:
    """Charlie's."""
    return shop_of(cast.bazaar, cast.charlie)


@dataclass(frozen=True)
class Caller:
    """Sends to an address of the surface as a program would, without a client's own ideas."""

    url: str
    shop: Shop

    def __call__(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> Any:
        import requests

        auth = {"Authorization": f"Bearer {key or self.shop.key}"}
        return requests.request(method, f"{self.url}/{path}", json=body, headers={**auth, **headers}, timeout=200)

    def get(self, path: str, **options: Any) -> Any:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self("POST", path, {} if body is None else body, **options)

    def txt2img(self, **asked: Any) -> Any:
        return self.post("sdapi/v1/txt2img", {"prompt": "red coat", "seed": 7, **SMALL, **asked})

    def img2img(self, **asked: Any) -> Any:
        return self.post("sdapi/v1/img2img", {"prompt": "red coat", "seed": 7, **SMALL, **asked})


@pytest.fixture
def alice(live_server: Any, atelier: Shop) -> Caller:
    """A program of the atelier."""
    return Caller(live_server.url, atelier)


@pytest.fixture
def charlie(live_server: Any, bazaar: Shop) -> Caller:
    """A program of the bazaar."""
    return Caller(live_server.url, bazaar)


def client_of(url: str, shop: Shop) -> Any:
    """The real client of PyPI, pointed at us by an address and a key."""
    import webuiapi

    parts = urlsplit(url)
    name, password = shop.basic
    return webuiapi.WebUIApi(
        host=parts.hostname, port=parts.port, sampler="DDIM", steps=2, username=name, password=password
    )


# --- who does the work ------------------------------------------------------------------------------------------------
@contextmanager
def working(*lanes: str) -> Iterator[None]:
    """A worker of each lane, in a thread: claims and carries out as a worker process does."""
    stop = threading.Event()
    discover()
    threads = [threading.Thread(target=_work, args=(lane, stop), daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def _work(lane: str, stop: threading.Event) -> None:
    try:
        while not stop.wait(0.03):
            while (work := claim_next(lane, f"test-{lane}")) is not None:
                run = runner_of(type(work.job))
                assert run is not None
                with merchant_scope(work.job.merchant_id):
                    carry_out(work, run)
    finally:
        connection.close()


@pytest.fixture
def painter() -> Iterator[scripted.Scripted]:
    """An executor of the generate lane that paints flat pictures, and its worker."""
    with scripted.listening(executors.socket_path("generate", 0), scripted.paints) as found, working("generate"):
        yield found


@pytest.fixture(scope="module")
def executor() -> Iterator[None]:
    """The true executors of two lanes, each a process of its own, where the workers look for them."""
    with ExitStack() as opened:
        for lane, more in (("generate", ["--threads", "1", "--engine", "mini"]), ("light", ["--light"])):
            opened.enter_context(_served(lane, more))
        yield


@pytest.fixture
def mini(executor: None) -> Iterator[None]:
    """The bundled engine at work in both lanes."""
    with working("generate", "light"):
        yield


@contextmanager
def _served(lane: str, more: list[str]) -> Iterator[None]:
    path = executors.socket_path(lane, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "studio", "serve", "--socket", str(path), "--parent", str(os.getpid()), *more]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(path, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(path: Any, process: Any) -> None:
    until = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < until:
        try:
            ping(path)
            return
        except ExecutorGone:
            time.sleep(0.2)
    pytest.fail("the executor did not come up")


# --- pictures ---------------------------------------------------------------------------------------------------------
def photo(size: tuple[int, int] = (64, 96), colour: tuple[int, int, int] = (190, 60, 50)) -> Image.Image:
    """A figure on a plain ground."""
    picture = Image.new("RGB", size, (220, 220, 210))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill=colour)
    return picture


def half(size: tuple[int, int] = (64, 96)) -> Image.Image:
    """A mask: white above, black below."""
    mask = Image.new("L", size, 0)
    mask.paste(255, (0, 0, size[0], size[1] // 2))
    return mask


def shoots_of(shop: Shop) -> list[Any]:
    """All of them, in their order."""
    from generation.models import Shoot

    with unscoped("test"):
        return list(Shoot.objects.filter(merchant=shop.merchant).order_by("id"))
