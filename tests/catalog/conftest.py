"""Files of a test in a folder of its own, and the cast with a client each."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from imodel_site.lib import storage
from imodel_site.lib.scope import merchant_scope
from tests.accounts.conftest import sign_in


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    """The private storage in an empty folder, and no rate limit left over."""
    cache.clear()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "imodel_site.lib.storage.PrivateFiles",
            "OPTIONS": {"location": str(tmp_path / "media"), "base_url": None},
        },
    }
    return tmp_path / "media"


@pytest.fixture
def atelier(cast):
    """Alice's merchant, its scope open."""
    with merchant_scope(cast.atelier.pk):
        yield cast.atelier


@pytest.fixture
def signed_in(cast):
    """``signed_in("alice")``: a client in her session."""
    return lambda name: sign_in(getattr(cast, name))


def stored_keys() -> list[str]:
    """Every file that is there."""
    return sorted(file.key for file in storage.private().listed("m/"))
