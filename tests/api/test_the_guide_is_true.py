"""Every snippet of docs/api.md is run against a server, as a shop's developer would; every code is one that exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.api.conftest import Program
from tests.generation.conftest import carry_out_next, png

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ROOMS = ("accounts", "catalog", "generation", "training", "selling", "imodel_site", "studio")


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.S | re.M)


@pytest.fixture
def worker(executor: Any) -> Iterator[None]:
    """Carries out what is ordered, as long as the test runs."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            carry_out_next()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def desk(tmp_path: Path, shop: Program, live_server: Any) -> tuple[Path, dict[str, str]]:
    """A developer's folder with a photo, and what they exported."""
    (tmp_path / "dress.jpg").write_bytes(png((30, 90, 160)))
    known = {"IMODEL_URL": live_server.url, "IMODEL_KEY": shop.key, "no_proxy": "*"}
    return tmp_path, {**os.environ, **known}


def run(command: list[str], desk: tuple[Path, dict[str, str]]) -> str:
    found = subprocess.run(command, cwd=desk[0], env=desk[1], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.mark.django_db(transaction=True)
def test_the_shells_way_to_the_first_pictures(desk: Any, worker: None) -> None:
    (script,) = snippets("bash")
    told = run(["bash", "-euo", "pipefail", "-c", script], desk)
    assert '"items":[{"id"' in told and '"urls":{"full":"http' in told


@pytest.mark.django_db(transaction=True)
def test_pythons_way_from_the_photo_to_files_and_all_that_follows(desk: Any, worker: None) -> None:
    """The snippets of the page are one program, read from the top."""
    told = run([sys.executable, "-c", "\n".join(snippets("python"))], desk)
    saved = sorted(desk[0].glob("*.png"))
    assert len(saved) == 2 and all(path.read_bytes().startswith(b"\x89PNG") for path in saved)
    assert "8 of " in told and "credits for 4 pictures" in told
    assert "LS-2 Linen shirt 1 photos" in told


def test_each_code_of_the_table_is_said_somewhere() -> None:
    table = GUIDE.split("| status | code |")[1].split("\n\n")[0]
    codes = set(re.findall(r"`([a-z_]+)`", "".join(line.split("|")[2] for line in table.splitlines()[2:])))
    assert len(codes) > 50
    said = "\n".join(path.read_text(encoding="utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    missing = [code for code in codes if f'"{code}"' not in said and not _made_of_parts(code, said)]
    assert not missing


def _made_of_parts(code: str, said: str) -> bool:
    """``photo_damaged`` is f"{noun}_damaged", ``crop_unknown`` f"{field}_unknown"."""
    _first, _, rest = code.partition("_")
    ends = [rest, *(code[place + 1 :] for place, mark in enumerate(code) if mark == "_")]
    return any(f'}}_{end}"' in said or f'"{end}"' in said for end in ends)
