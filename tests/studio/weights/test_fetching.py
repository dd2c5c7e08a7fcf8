"""Fetching from a hub: whole, resumed, checked, and never half there."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from studio.errors import InputError, StudioError, WeightsError
from studio.weights import FAMILIES, family_hashes, locate
from studio.weights.disk import locked
from studio.weights.fetch import fetch
from studio.weights.store import staging
from tests.studio.weights.conftest import go_online
from tests.studio.weights.hub_standin import StandInHub
from tests.studio.weights.makers import UNET, Harmful, hub_files, hub_key, safetensors, with_header

UNET_KEY = hub_key("sd15", "unet/diffusion_pytorch_model.safetensors")
LARGE = 6_000_000  # floats: 24 MB, as huggingface_hub writes in steps of 10 MB
FETCH = "import sys; from studio.weights.fetch import fetch; fetch(sys.argv[1], progress=False)"


def failure(name: str = "sd15") -> StudioError:
    """The error of a fetch that must fail; whatever it was, nothing may be found afterwards."""
    with pytest.raises(StudioError) as caught:
        fetch(name, progress=False)
    assert_missing(name)
    return caught.value


def assert_missing(name: str = "sd15") -> None:
    with pytest.raises(WeightsError) as caught:
        locate(name)
    assert caught.value.code == "weights_missing"
    assert f"python -m studio weights fetch {name}" in caught.value.message


def test_a_fetched_family_is_located_part_by_part_with_its_hashes(hub: StandInHub, weights_folder: Path) -> None:
    located = fetch("sd15", progress=False)

    assert list(located.components) == [part.name for part in FAMILIES["sd15"].components]
    weights = located.components["unet"] / "diffusion_pytorch_model.safetensors"
    assert weights.read_bytes() == hub.files[UNET_KEY]
    hashes = family_hashes(locate("sd15"))
    assert hashes["unet/diffusion_pytorch_model.safetensors"] == hashlib.sha256(hub.files[UNET_KEY]).hexdigest()
    assert json.loads((located.root / "weights.json").read_text())["about"][UNET_KEY[0]] == UNET_KEY[1]
    assert [path.name for path in (weights_folder / ".staging").iterdir() if path.is_dir()] == []


def test_what_is_already_here_is_not_asked_for_again(hub: StandInHub) -> None:
    fetch("sd15", progress=False)
    asked = len(hub.seen)

    fetch("sd15", progress=False)

    assert len(hub.seen) == asked


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: StandInHub) -> None:
    hub.files |= hub_files(FAMILIES["sd15"], large=LARGE)
    hub.broken[UNET] = [15_000_000]

    located = fetch("sd15", progress=False)

    assert [request.start for request in hub.downloads(UNET)] == [None, 10 << 20]
    assert (located.components["unet"] / "diffusion_pytorch_model.safetensors").read_bytes() == hub.files[UNET_KEY]


def test_a_fetch_whose_process_was_killed_goes_on_in_the_next_one(hub: StandInHub, weights_folder: Path) -> None:
    hub.files |= hub_files(FAMILIES["sd15"], large=LARGE)
    hub.stall.add(UNET)
    child = subprocess.Popen([sys.executable, "-c", FETCH, "sd15"], cwd=Path.cwd(), env=os.environ | _paths())
    assert hub.stalled.wait(60)
    partial = staging(FAMILIES["sd15"], "fetch").partial
    _wait_for_bytes(partial, 10 << 20)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert_missing()
    asked = len(hub.seen)
    hub.stall.clear()
    hub.go_on.set()

    located = fetch("sd15", progress=False)

    again = [request for request in hub.seen[asked:] if request.method == "GET"]
    assert (again[0].path.endswith(UNET), again[0].start) == (True, 10 << 20)
    assert not any("vae" in request.path for request in again)
    assert (located.components["unet"] / "diffusion_pytorch_model.safetensors").read_bytes() == hub.files[UNET_KEY]


def _wait_for_bytes(folder: Path, count: int) -> None:
    pause = Event()
    for _ in range(3000):
        if any(path.stat().st_size >= count for path in folder.iterdir()):
            return
        pause.wait(0.01)
    raise AssertionError(f"no file of {count} bytes came to {folder}")


def _paths() -> dict[str, str]:
    return {"PYTHONPATH": str(Path.cwd())}


def test_a_file_that_is_not_the_stated_one_is_deleted_and_refused(hub: StandInHub) -> None:
    right = hub.files[UNET_KEY]
    hub.stated[UNET_KEY] = right
    hub.files[UNET_KEY] = right[:-1] + bytes([right[-1] ^ 1])

    error = failure()

    assert error.code == "hash_mismatch"
    assert not any(staging(FAMILIES["sd15"], "fetch").partial.iterdir())
    hub.files[UNET_KEY] = right
    assert fetch("sd15", progress=False).origin == "hub"


def test_a_small_file_is_held_against_gits_hash(hub: StandInHub) -> None:
    key = hub_key("sd15", "unet/config.json")
    hub.stated[key] = hub.files[key]
    hub.files[key] = hub.files[key].replace(b"768", b"769")

    assert failure().code == "hash_mismatch"


def test_a_hub_that_states_another_hash_than_the_published_one_is_refused_before_the_download(hub: StandInHub) -> None:
    key = hub_key("sam_vit_b", "model.pth")
    hub.files[key] = b"something else"

    assert failure("sam_vit_b").code == "hash_mismatch"
    assert hub.downloads("sam_vit_b_01ec64.pth") == []


def test_a_file_that_the_hub_does_not_have_is_named(hub: StandInHub) -> None:
    del hub.files[hub_key("sd15", "controlnet/config.json")]

    error = failure()

    assert error.code == "hub_file_missing"
    assert "config.json of lllyasviel/control_v11p_sd15_openpose" in error.message


def test_the_token_goes_to_the_hub_and_not_to_the_host_it_redirects_to(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test_token")

    fetch("sd15", progress=False)

    asked = {request.token for request in hub.seen if not request.path.startswith("/cdn/")}
    bytes_asked = [request for request in hub.seen if request.path.startswith("/cdn/")]
    assert asked == {"Bearer hf_test_token"}
    assert len(bytes_asked) == 4
    assert {request.token for request in bytes_asked} == {None}


@pytest.mark.parametrize(("status", "code"), [(403, "GatedRepo"), (401, "RepoNotFound"), (401, "")])
def test_a_hub_that_wants_a_licence_accepted_says_so(hub: StandInHub, status: int, code: str) -> None:
    hub.status["model_index.json"] = (status, code)

    error = failure()

    assert error.code == "hub_refused"
    assert "HF_TOKEN" in error.message


def test_a_hub_that_does_not_answer_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    go_online(monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    error = failure()

    assert (error.code, error.retryable) == ("hub_unreachable", True)


def test_offline_mode_is_named_as_the_reason(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    error = failure()

    assert error.code == "hub_unreachable"
    assert "HF_HUB_OFFLINE" in error.message


def test_a_pickle_that_is_called_safetensors_is_refused_and_not_opened(hub: StandInHub, tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    hub.files[UNET_KEY] = pickle.dumps({"w": Harmful(proof)})

    assert failure().code == "pickle_refused"
    assert not proof.exists()


def test_safetensors_that_the_hub_has_only_half_of_are_refused(hub: StandInHub) -> None:
    hub.files[UNET_KEY] = hub.files[UNET_KEY][:-3]

    assert failure().code == "safetensors_invalid"


def test_a_config_that_asks_for_code_of_its_own_is_refused(hub: StandInHub) -> None:
    hub.files[hub_key("sd15", "text_encoder/config.json")] = b'{"auto_map": {"AutoModel": "evil.Model"}}'

    assert failure().code == "code_refused"


def test_a_unet_that_can_not_inpaint_is_refused(hub: StandInHub) -> None:
    hub.files[hub_key("sd15", "unet/config.json")] = b'{"_class_name": "UNet2DConditionModel", "in_channels": 4}'

    assert failure().code == "weights_mismatch"


def test_two_processes_never_fill_one_folder(hub: StandInHub) -> None:
    with locked(staging(FAMILIES["sd15"], "fetch").lock, doing="fetching sd15"):
        error = failure()

    assert (error.code, error.retryable) == ("weights_busy", True)


def test_fetching_again_replaces_what_was_there(hub: StandInHub) -> None:
    fetch("sd15", progress=False)
    hub.files[UNET_KEY] = safetensors({"w": np.ones(3, np.float32)})

    located = fetch("sd15", progress=False, again=True)

    assert (located.components["unet"] / "diffusion_pytorch_model.safetensors").read_bytes() == hub.files[UNET_KEY]


def test_a_failed_second_fetch_leaves_the_first_one_in_place(hub: StandInHub) -> None:
    first = family_hashes(fetch("sd15", progress=False))
    hub.files[UNET_KEY] = with_header({})

    with pytest.raises(WeightsError):
        fetch("sd15", progress=False, again=True)

    assert family_hashes(locate("sd15")) == first


def test_bundled_families_are_not_fetched() -> None:
    with pytest.raises(InputError) as caught:
        fetch("mini", progress=False)
    assert caught.value.code == "weights_bundled"


def test_a_family_that_is_not_in_the_table_is_answered_with_those_that_are() -> None:
    with pytest.raises(InputError) as caught:
        fetch("sd16", progress=False)
    assert caught.value.code == "unknown_weights"
    assert "sd15, sdxl" in caught.value.message
