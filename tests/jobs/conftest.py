"""What the job tests share: a merchant or two, and jobs of the test app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from imodel_site.lib.jobs.services import enqueue
from imodel_site.lib.scope import merchant_scope, unscoped
from tests.jobs.house import Databases, House


@pytest.fixture
def errand() -> Callable[..., Any]:
    """Enqueue an errand of a merchant."""
    from tests.jobs.app.models import Errand

    def make(merchant: Any, *plan: list[Any], **fields: Any) -> Any:
        with merchant_scope(merchant.pk):
            job = Errand(merchant=merchant, plan=list(plan), **fields)
            enqueue(job)
            return job

    return make


@pytest.fixture
def shops(db: Any) -> Callable[[int], list[Any]]:
    """Some merchants."""
    from accounts.models import Merchant

    return lambda count: [Merchant.objects.create(name=f"Shop {number}") for number in range(count)]


@pytest.fixture
def lines() -> Callable[[Any], list[str]]:
    """What a job left in the ledger, sorted."""
    from tests.jobs.app.models import Line

    return lambda job: sorted(Line.objects.filter(job=job.pk).values_list("kind", flat=True))


@pytest.fixture
def everybody() -> Iterator[None]:
    """A scope over all merchants, for reading results."""
    with unscoped("test"):
        yield


@pytest.fixture(autouse=True)
def run_dir(tmp_path: Any) -> Iterator[None]:
    """No test shares signs of life with another."""
    before = settings.RUN_DIR
    settings.RUN_DIR = tmp_path
    yield
    settings.RUN_DIR = before


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Fresh ones for houses."""
    made = Databases(tmp_path_factory.mktemp("houses"))
    yield made
    made.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each chaos test runs on both databases."""
    return str(request.param)


@pytest.fixture
def build(databases: Databases, kind: str) -> Iterator[Callable[..., House]]:
    """Houses of one test; closed, and looked over for orphans, at its end."""
    built: list[House] = []

    def make(**env: str) -> House:
        built.append(House(databases.place(), getattr(databases, kind)(), **env))
        return built[-1]

    yield make
    for house in built:
        house.close()


@pytest.fixture(scope="module")
def house(databases: Databases, kind: str) -> Iterator[House]:
    """One installation that lives through all tests of a module, its worker started once."""
    made = House(databases.place(), getattr(databases, kind)())
    made.start()
    yield made
    made.close()
