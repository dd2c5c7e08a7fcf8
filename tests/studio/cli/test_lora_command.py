"""``python -m studio lora``: train on a folder in kohya's layout, stop and go on, inspect and export what came out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.cli.main import main
from tests.studio.lora.sets import picture

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures, one held out, with captions and masks."""
    root = tmp_path_factory.mktemp("set")
    for n, place in enumerate(("2_zkx coat", "2_zkx coat", "held_out/1_zkx coat")):
        image, mask = picture(n, (128, 192))
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / "masks").mkdir(exist_ok=True)
        image.save(root / place / f"{n}.png")
        (root / place / f"{n}.txt").write_text("zkx coat on a model\n")
        mask.save(root / "masks" / f"{n}.png")
    return root


def command(folder: Path, out: Path, *more: str) -> list[str]:
    return ["lora", "train", "--data", str(folder), "--family", "mini", "--out", str(out), "--device", "cpu",
            "--threads", "1", *more]  # fmt: skip


def test_a_folder_becomes_an_adapter_that_is_inspected_and_exported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(
        json.dumps(
            {
                "family": "sd15",
                "trigger": "zkx",
                "width": 128,
                "height": 192,
                "bucket_step": 32,
                "rank": 2,
                "batch_size": 1,
                "warmup_steps": 0,
                "sample_every": 0,
                "save_every": 0,
                "steps": 9,
            }
        )  # fmt: skip
    )
    assert main(command(folder, tmp_path / "out", "--plan", str(plan), "--steps", "2", "--rank", "3")) == 0
    said = capsys.readouterr().out
    assert "step 2/2 loss" in said and "validation loss" in said and "step-000002" in said
    adapter = tmp_path / "out" / "step-000002" / "adapter.safetensors"
    assert main(["lora", "export", str(adapter), "--to", str(tmp_path / "kohya.safetensors")]) == 0
    for path, layout in ((adapter, "diffusers"), (tmp_path / "kohya.safetensors", "kohya")):
        assert main(["lora", "inspect", str(path), "--family", "mini"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["layout"], found["families"], found["rank"], found["trigger"]) == (layout, ["mini"], 3, "zkx")


def test_sigterm_saves_and_the_same_command_goes_on(folder: Path, tmp_path: Path) -> None:
    more = ["--steps", "40", "--batch-size", "1", "--rank", "2"]
    whole = [sys.executable, "-m", "studio", *command(folder, tmp_path / "out", *more)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if line.startswith("step 10/40"):
                process.send_signal(signal.SIGTERM)
        error = process.stderr.read()
    assert process.returncode == 5
    assert "[cancelled]" in error and "goes on from there" in error
    assert len(list((tmp_path / "out").glob("step-*/state.safetensors"))) == 1
    saved = int(next((tmp_path / "out").glob("step-*")).name.removeprefix("step-"))
    assert 10 <= saved < 40
    done = subprocess.run(whole, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    assert f"resumed step={saved}" in done.stdout
    assert (tmp_path / "out" / "step-000040" / "adapter.safetensors").is_file()


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        (["--plan", "/nowhere/plan.json"], 2, "plan_unreadable"),
        (["--rank", "500"], 2, "plan_field_invalid"),
        (["--precision", "fp16"], 2, "precision_unsupported"),
        (["--optimizer", "lion"], 2, "option_invalid"),
        (["--device", "cuda:77"], 2, "device_unknown"),
    ],
)
def test_wrong_options_are_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], status: int, code: str
) -> None:
    assert main([*command(folder, tmp_path / "out", *more), "--json-errors"]) == status
    assert json.loads(capsys.readouterr().err)["code"] == code


def test_a_folder_without_pictures_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command(tmp_path, tmp_path / "out"), "--json-errors"]) == 2
    assert json.loads(capsys.readouterr().err)["code"] == "dataset_empty"
