"""The stand-in hub and an empty weights folder for every test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.weights.registry import FAMILIES
from tests.studio.weights.hub_standin import StandInHub, serve
from tests.studio.weights.makers import hub_files


@pytest.fixture(autouse=True)
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty weights folder; nothing of the user's own is read or touched."""
    folder = tmp_path / "weights"
    monkeypatch.setenv("IMODEL_WEIGHTS", str(folder))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return folder


def go_online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the tests runs with HF_HUB_OFFLINE=1; huggingface_hub reads that once, when it is imported."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """A hub that serves sd15, small; HF_ENDPOINT points to it."""
    standin = StandInHub(files=hub_files(FAMILIES["sd15"]))
    server = serve(standin)
    monkeypatch.setenv("HF_ENDPOINT", standin.endpoint)
    go_online(monkeypatch)
    yield standin
    standin.go_on.set()
    server.shutdown()
    server.server_close()
