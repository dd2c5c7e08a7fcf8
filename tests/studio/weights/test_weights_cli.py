"""``python -m studio weights`` as a person uses it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.cli.weights import add_parser
from studio.errors import StudioError
from studio.weights import FAMILIES, locate
from tests.studio.weights.hub_standin import StandInHub
from tests.studio.weights.makers import UNET, diffusers_folder, hub_files

PROGRAM = """
import argparse, sys
from studio.cli.weights import add_parser
parser = argparse.ArgumentParser(); add_parser(parser.add_subparsers())
args = parser.parse_args(sys.argv[1:]); sys.exit(args.handler(args))
"""


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["weights", *words])
    status: int = args.handler(args)
    return status


def test_the_list_shows_what_each_family_needs_and_whether_it_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0

    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert all(name in rows for name in FAMILIES)
    assert "9.4 GB" in rows["sdxl"] and "832x1216" in rows["sdxl"] and "CreativeML-OpenRAIL++-M" in rows["sdxl"]
    assert rows["mediapipe_pose"].split()[2] == "bundled"
    assert rows["sd15"].split()[2] == "no"


def test_the_list_as_json_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run("list", "--json")

    families = {family["name"]: family for family in json.loads(capsys.readouterr().out)["families"]}
    assert families["sam_vit_b"]["hub"][0]["files"][0]["sha256"].startswith("ec2df627")
    assert families["sdxl"]["hub"][1]["repo"] == "xinsir/controlnet-openpose-sdxl-1.0"
    assert families["sd15"]["licence"]["commercial"] is True
    assert families["mini"]["state"] in {"no", "bundled"}


def test_fetch_verify_and_remove_in_turn(hub: StandInHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "sd15", "--quiet") == 0
    assert run("verify", "sd15") == 0
    assert run("remove", "sd15") == 0

    fetched, verified, removed = capsys.readouterr().out.splitlines()
    assert fetched.startswith("sd15: here, in ")
    assert verified.endswith("read, all as recorded")
    assert removed.startswith("sd15: removed, ") and removed.endswith(" freed")


def test_verify_goes_on_after_a_damaged_family_and_fails_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("import", "sd15", str(diffusers_folder(tmp_path / "mine")))
    (locate("sd15").components["unet"] / "config.json").write_text("{}")

    with pytest.raises(StudioError) as caught:
        run("verify", "sd15", "mediapipe_pose")

    assert (caught.value.code, caught.value.exit_status) == ("weights_damaged", 3)
    assert "mediapipe_pose: 9.4 MB read" in capsys.readouterr().out


def test_a_part_must_be_given_as_name_and_path(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        run("import", "sd15", str(tmp_path), "--part", "controlnet")
    assert "NAME=PATH" in caught.value.message


def test_a_fetch_in_its_own_process_obeys_the_hubs_settings_and_shows_its_progress(
    hub: StandInHub, tmp_path: Path
) -> None:
    hub.files |= hub_files(FAMILIES["sd15"], large=100_000)
    cached = _put_in_hub_cache(hub, tmp_path / "hf-home" / "hub")
    environment = os.environ | {"HF_HOME": str(tmp_path / "hf-home"), "HF_TOKEN": "hf_from_env"}
    environment.pop("HF_HUB_CACHE")

    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, "weights", "fetch", "sd15"], env=environment, capture_output=True, text=True
    )

    assert child.returncode == 0, child.stderr
    assert "unet/diffusion_pytorch_model.safetensors: 100%" in child.stderr
    assert {request.token for request in hub.seen if "/cdn/" not in request.path} == {"Bearer hf_from_env"}
    assert hub.downloads(cached) == []
    assert len(hub.downloads(UNET)) == 1


def _put_in_hub_cache(hub: StandInHub, cache: Path) -> str:
    """One file as another tool left it in the hub's own cache; its path in the repository."""
    repo, revision, path = next(key for key in hub.files if key[2] == "vae/diffusion_pytorch_model.fp16.safetensors")
    target = cache / f"models--{repo.replace('/', '--')}" / "snapshots" / revision / path
    target.parent.mkdir(parents=True)
    target.write_bytes(hub.files[repo, revision, path])
    return path
