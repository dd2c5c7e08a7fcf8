"""A shop with a row in every table and a file of every kind, on a disk and on an S3 server."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from tests.exports.filling import Filled, fill
from tests.lib.conftest import files, s3_server

__all__ = ["files", "s3_server"]


@pytest.fixture(autouse=True)
def _a_machine_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.WORK_DIR = tmp_path / "work"
    cache.clear()


@pytest.fixture
def shop(files: Any, cast: Any) -> Filled:
    """Atelier, filled."""
    return fill(cast.atelier, cast.alice, "kan-atl-61f3")


@pytest.fixture
def neighbour(files: Any, cast: Any) -> Filled:
    """Bazaar, filled."""
    return fill(cast.bazaar, cast.charlie, "kan-baz-9c27")
