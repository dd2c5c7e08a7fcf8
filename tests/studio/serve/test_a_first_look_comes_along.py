"""Photos and finished pictures are looked at as a part of their job, and a checker that fails stops nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.serve.inspecting import findings
from studio.serve.jobs import Job
from studio.serve.proposing import propose
from studio.serve.protocol import Op
from studio.serve.resident import Resident
from tests.studio.safety.pictures import bare_figure


def proposed(picture: Image.Image, tmp_path: Path, resident: Resident) -> Any:
    picture.save(tmp_path / "photo.png")
    body = {"photo": str(tmp_path / "photo.png"), "out": str(tmp_path / "out")}
    return propose(Job("p", Op.PROPOSE, body, lambda event: None, threading.Event()), resident)


@pytest.fixture
def resident(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Resident:
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path / "weights"))
    return Resident(device=None)


def test_a_bare_figure_is_flagged_and_a_coloured_one_is_not(tmp_path: Path, resident: Resident) -> None:
    found = proposed(bare_figure(), tmp_path, resident)["finding"]
    assert found["flagged"] is True
    assert [reason["code"] for reason in found["reasons"]] == ["much_skin"]
    assert found["reasons"][0]["score"] > 0.22
    clear = proposed(bare_figure((30, 60, 160)), tmp_path, resident)["finding"]
    assert clear == {"flagged": False, "reasons": [], "checker": "rules-1"}


def test_a_checker_that_fails_leaves_the_pictures_unlooked_at(
    tmp_path: Path, resident: Resident, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def look(self, pictures: Any) -> Any:
            raise RuntimeError("no such device")

    monkeypatch.setattr(resident, "checker", Broken)
    assert proposed(bare_figure((30, 60, 160)), tmp_path, resident)["finding"] is None
    assert findings([bare_figure()] * 3, resident, "j") == [None, None, None]
    assert "no such device" in capsys.readouterr().err
