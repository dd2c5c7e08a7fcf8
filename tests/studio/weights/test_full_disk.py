"""A disk that fills up while weights arrive: said so, nothing half there, and the next attempt goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import StorageError, WeightsError
from studio.weights import FAMILIES, locate
from studio.weights.fetch import fetch
from studio.weights.importing import import_weights
from tests.studio.weights.hub_standin import StandInHub
from tests.studio.weights.makers import UNET, diffusers_folder, hub_files, hub_key

LARGE = 6_000_000
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (15_000_000, 15_000_000))
from studio.errors import StorageError
from studio.weights.fetch import fetch
try:
    fetch("sd15", progress=False)
except StorageError as error:
    print(error.code, error.retryable)
"""


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The weights folder on a file system of 40 MB of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root; the limit by file size is tested beside this for everyone")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr}")
    monkeypatch.setenv("IMODEL_WEIGHTS", str(disk / "weights"))
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def assert_missing() -> None:
    with pytest.raises(WeightsError) as caught:
        locate("sd15")
    assert caught.value.code == "weights_missing"


def test_a_limit_met_in_the_middle_of_a_file_is_a_full_disk_and_the_next_attempt_goes_on(hub: StandInHub) -> None:
    hub.files |= hub_files(FAMILIES["sd15"], large=LARGE)
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}

    child = subprocess.run([sys.executable, "-c", LIMITED], env=environment, capture_output=True, text=True, check=True)

    assert child.stdout.split() == ["disk_full", "True"]
    assert_missing()
    fetch("sd15", progress=False)
    assert hub.downloads(UNET)[-1].start == 15_000_000


@pytest.mark.root
def test_a_disk_that_others_fill_meanwhile_is_told_and_the_next_attempt_goes_on(
    hub: StandInHub, small_disk: Path
) -> None:
    hub.files |= hub_files(FAMILIES["sd15"], large=LARGE)
    filler = small_disk / "filler"
    hub.before_body = lambda path: filler.write_bytes(bytes(28_000_000)) and None if path == UNET else None

    with pytest.raises(StorageError) as caught:
        fetch("sd15", progress=False)

    assert (caught.value.code, caught.value.retryable) == ("disk_full", True)
    assert_missing()
    filler.unlink()
    hub.before_body = lambda path: None
    located = fetch("sd15", progress=False)
    start = hub.downloads(UNET)[-1].start
    assert start is not None and start > 1_000_000
    key = hub_key("sd15", "unet/diffusion_pytorch_model.safetensors")
    assert (located.components["unet"] / "diffusion_pytorch_model.safetensors").read_bytes() == hub.files[key]


@pytest.mark.root
def test_too_little_room_is_told_before_anything_is_downloaded(hub: StandInHub, small_disk: Path) -> None:
    hub.files |= hub_files(FAMILIES["sd15"], large=11_000_000)

    with pytest.raises(StorageError) as caught:
        fetch("sd15", progress=False)

    assert caught.value.code == "disk_full"
    assert [request for request in hub.seen if request.method == "GET"] == []


@pytest.mark.root
def test_an_import_that_does_not_fit_leaves_nothing_behind(tmp_path: Path, small_disk: Path) -> None:
    folder = diffusers_folder(tmp_path / "mine")
    (small_disk / "filler").write_bytes(bytes(40 * 1024 * 1024 - 9 * 4096))

    with pytest.raises(StorageError) as caught:
        import_weights("sd15", folder, parts={})

    assert caught.value.code == "disk_full"
    assert_missing()
    assert not any(path.is_file() for path in small_disk.rglob("*.safetensors"))


def test_a_place_that_can_not_be_written_is_told_apart_from_a_full_disk(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path / "file" / "weights"))

    with pytest.raises(StorageError) as caught:
        fetch("sd15", progress=False)

    assert caught.value.code == "not_written"
