"""The engine a job asks for is the one that is up; another one makes room for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.serve.client import JobError, ping
from tests.studio.serve.conftest import Running, shoot


def test_another_family_takes_the_place_of_the_first_and_back(executor: Running, photo: Path, tmp_path: Path) -> None:
    executor.run(shoot(photo, tmp_path / "a"))
    first = executor.told("shot")[0]["sha256"]
    assert ping(executor.socket)["engine"] == "mini"
    request = {"prompt": "a coat", "steps": 1, "width": 64, "height": 64, "seed": 1}
    executor.run({"op": "generate", "id": "g", "engine": "sd15", "request": request, "out": str(tmp_path / "b")})
    assert executor.told("progress")[0]["stage"] == "weights"
    assert executor.told("shot")[0]["recipe"]["engine"]["parameters"]["engine"]["family"] == "sd15"
    assert ping(executor.socket)["engine"] == "sd15"
    executor.run(shoot(photo, tmp_path / "c"))
    assert executor.told("progress")[0]["stage"] == "weights"
    assert executor.told("shot")[0]["sha256"] == first
    assert ping(executor.socket)["engine"] == "mini"


def test_a_family_that_is_not_here_leaves_the_one_that_is(executor: Running, photo: Path, tmp_path: Path) -> None:
    executor.run(shoot(photo, tmp_path / "a"))
    with pytest.raises(JobError) as caught:
        executor.run(shoot(photo, tmp_path / "b", engine="sdxl"))
    assert (caught.value.kind, caught.value.code, caught.value.retryable) == ("weights", "weights_missing", False)
    assert ping(executor.socket)["engine"] == "mini"
    executor.run(shoot(photo, tmp_path / "c"))
    assert "weights" not in [event["stage"] for event in executor.told("progress")]
