"""Shops whose programs speak FASHN's API, and workers that carry out what they order."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections

from accounts.scoping import merchant_scope
from generation.models import FashnRun
from generation.surfaces.fashn import carrying
from imodel_site.lib.fetch import PUBLIC, Fetcher
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from tests.api.conftest import Program, foreign, shop  # noqa: F401  # fixtures
from tests.generation import scripted
from tests.generation.conftest import (  # noqa: F401  # fixtures
    carry_out_next,
    executor,
    house,
    library,
    mask_png,
    neighbour,
    png,
)
from tests.generation.scripted import Link

LANDMARKS = [[10.0 + n, 20.0 + n, 0.0, 0.9, 0.0] for n in range(33)]


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()


def uri(data: bytes | None = None) -> str:
    """A picture as a client without a server of its own sends it."""
    return "data:image/png;base64," + base64.b64encode(data or png()).decode()


@dataclass
class Looking:
    """What the light executor says of every picture."""

    parts: tuple[str, ...] = ("upper", "person")
    somebody: bool = True
    flagged: bool = False

    def __call__(self, link: Link, message: dict[str, Any]) -> None:
        out = Path(message["out"])
        out.mkdir(exist_ok=True)
        for name in (*self.parts, "skeleton"):
            (out / f"{name}.png").write_bytes(mask_png())
        parts = [
            {"part": part, "score": 0.9, "file": str(out / f"{part}.png"), "box": [0, 0, 1, 1], "share": 0.2}
            for part in self.parts
        ]
        link.say(
            "done",
            parts=parts,
            best=self.parts[0] if self.parts else None,
            pose={"rows": LANDMARKS, "size": [64, 96]} if self.somebody else None,
            files={"skeleton": str(out / "skeleton.png") if self.somebody else None},
            finding={"flagged": self.flagged, "checker": "test", "reasons": []},
        )


@pytest.fixture
def looking() -> Iterator[Looking]:
    """An executor of the light lane."""
    found = Looking()
    with scripted.listening(executors.socket_path("light", 0), found):
        yield found


def fetch_next(fetcher: Fetcher = PUBLIC) -> Any:
    """The next run, as a worker of the light lane carries it out; the Work, or None when nothing waits."""
    work = claim_next("light", "test-worker", models=[FashnRun])
    if work is not None:
        with merchant_scope(work.job.merchant_id):
            carry_out(work, lambda work: carrying.carry_out(work, fetcher=fetcher))
    return work


@pytest.fixture
def workers(executor: Any, looking: Looking) -> Iterator[None]:  # noqa: F811  # the fixture
    """Both lanes, as long as the test runs."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            fetch_next()
            carry_out_next()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()
