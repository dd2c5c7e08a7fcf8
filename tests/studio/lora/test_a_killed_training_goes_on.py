"""SIGKILL in the middle of a training: another process goes on from the last checkpoint, with equal losses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from studio.dataset.types import DataSet
from studio.diffusion.types import FamilyFiles
from studio.errors import InputError
from studio.lora.checkpoints import read_checkpoints
from studio.lora.training import train
from studio.lora.types import Callbacks, Plan
from tests.studio.lora.conftest import PLAN
from tests.studio.lora.sets import small_set

ROOT = Path(__file__).parents[3]
LONG = replace(
    PLAN, steps=12, save_every=4, validate_every=4, accumulation=2, noise_offset=0.1, caption_dropout=0.3, seed=8
)


def logged(out: Path) -> dict[int, float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}


def run_until_killed(folder: Path, plan: Plan, *, kill_at: int) -> int:
    """Train in a process of its own, ``kill -9`` it once it has told of ``kill_at``; returns its status."""
    command = [sys.executable, "-m", "tests.studio.lora.train_alone"]
    places = [str(folder / name) for name in ("family", "set", "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, *places, plan.to_json()], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{") and json.loads(line)["step"] == kill_at:
                process.send_signal(signal.SIGKILL)
        return process.wait()


@pytest.mark.parametrize("changes", [{}, {"optimizer": "prodigy", "learning_rate": 1.0, "text_encoder": True}])
def test_losses_after_a_kill_are_those_of_an_uninterrupted_run(
    changes: dict[str, object], sd: FamilyFiles, tmp_path: Path
) -> None:
    plan, out = replace(LONG, **changes), tmp_path / "out"  # type: ignore[arg-type]
    assert run_until_killed(tmp_path, plan, kill_at=7) == -signal.SIGKILL
    assert [one.step for one in read_checkpoints(out)] == [4]
    assert max(logged(out)) >= 7
    pictures = small_set(tmp_path / "set", prior=2)
    again = train(sd, pictures, plan, out=out, device="cpu", threads=1)
    whole = train(sd, pictures, plan, out=tmp_path / "whole", device="cpu", threads=1)
    expected = logged(tmp_path / "whole")
    assert list(expected) == list(range(1, 13))
    assert len(set(expected.values())) == 12
    assert logged(out) == expected
    assert again.losses == whole.losses
    assert again.validations == whole.validations
    assert again.checkpoints[-1].sha256 == whole.checkpoints[-1].sha256


class Killed(BaseException):
    """Ends a training from within a callback, as abruptly as Python can."""


def stop_at(step: int) -> Callbacks:
    def on_step(report: object) -> None:
        if report.step == step:  # type: ignore[attr-defined]
            raise Killed

    return Callbacks(on_step=on_step)


def test_a_damaged_last_checkpoint_is_passed_over(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    whole = train(sd, dataset, LONG, out=tmp_path / "whole", device="cpu")
    with pytest.raises(Killed):
        train(sd, dataset, LONG, out=tmp_path / "torn", callbacks=stop_at(10), device="cpu")
    state = tmp_path / "torn" / "step-000008" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-40])
    (tmp_path / "torn" / ".step-000012.abc.part").mkdir()
    resumed_at = []
    callbacks = Callbacks(on_log=lambda code, said: resumed_at.append(said["step"]) if code == "resumed" else None)
    again = train(sd, dataset, LONG, out=tmp_path / "torn", callbacks=callbacks, device="cpu")
    assert resumed_at == [4]
    assert again.losses == whole.losses
    assert again.validations == whole.validations
    assert not list((tmp_path / "torn").glob(".step*"))


def test_a_checkpoint_of_another_machine_is_enough(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    """Only the last checkpoint's folder is brought; earlier losses are unknown, later ones equal."""
    whole = train(sd, dataset, LONG, out=tmp_path / "whole", device="cpu")
    (tmp_path / "else").mkdir()
    (tmp_path / "whole" / "step-000008").rename(tmp_path / "else" / "step-000008")
    moved = DataSet("zkx", small_set(tmp_path / "copied").entries)  # the same pictures in other places
    again = train(sd, moved, LONG, out=tmp_path / "else", device="cpu")
    assert again.losses == whole.losses[8:]
    assert again.checkpoints[-1].sha256 == whole.checkpoints[-1].sha256


def test_a_finished_training_is_not_trained_again(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    first = train(sd, dataset, PLAN, out=tmp_path, device="cpu")
    steps: list[object] = []
    again = train(sd, dataset, PLAN, out=tmp_path, callbacks=Callbacks(on_step=steps.append), device="cpu")
    assert not steps
    assert again == first


@pytest.mark.parametrize("what", ["plan", "pictures"])
def test_a_folder_of_another_training_is_refused(sd: FamilyFiles, dataset: DataSet, tmp_path: Path, what: str) -> None:
    train(sd, dataset, PLAN, out=tmp_path / "out", device="cpu")
    plan = replace(PLAN, rank=8) if what == "plan" else PLAN
    pictures = small_set(tmp_path / "others", trained=2) if what == "pictures" else dataset
    with pytest.raises(InputError) as caught:
        train(sd, pictures, plan, out=tmp_path / "out", device="cpu")
    assert caught.value.code == "training_differs"


def test_old_states_go_and_adapters_stay(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    plan = replace(PLAN, steps=4, save_every=1, validate_every=0)
    trained = train(sd, dataset, plan, out=tmp_path / "all", device="cpu")
    assert [one.step for one in trained.checkpoints] == [1, 2, 3, 4]
    with_state = sorted(path.parent.name for path in (tmp_path / "all").glob("*/state.safetensors"))
    assert with_state == ["step-000003", "step-000004"]
    few = train(sd, dataset, replace(plan, keep_checkpoints=2), out=tmp_path / "few", device="cpu")
    assert [one.step for one in few.checkpoints] == [3, 4]
    weights = load_file(few.checkpoints[-1].adapter)
    assert all(value.dtype == torch.float16 for value in weights.values())
