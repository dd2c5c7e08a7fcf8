"""``train``: what it tells on the way, what it can be asked meanwhile, and what is left however it ends."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.dataset.folders import write_folder
from studio.dataset.types import DataSet, Entry
from studio.lora.plans import plan_for
from studio.mini.world import Garment, draw, random_spec
from studio.provenance import SourceType, read_labels
from studio.serve.client import JobError
from tests.studio.serve.conftest import Running, shoot

DRESS = Garment("dress", "#2f6f73", "banded", "#f0c23c", "long", third="#f2efe6")
SMALL = {"width": 64, "height": 96, "batch_size": 1, "warmup_steps": 0, "sample_steps": 2, "samples": 2, "rank": 4}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures to train on and two held out, as a folder."""
    folder = tmp_path_factory.mktemp("pictures")
    entries = []
    for k in range(5):
        spec = replace(random_spec(40 + k), full=DRESS, upper=None, lower=None, crop="head-to-toe")
        drawn = draw(spec, (128, 192))
        image, mask = folder / f"{k}.png", folder / f"{k}-mask.png"
        drawn.picture.save(image)
        Image.fromarray(drawn.garment.astype(np.uint8) * 255).save(mask)
        entries.append(Entry(image, mask, "a zkv17 dress", held_out=k >= 3))
    write_folder(DataSet("zkv17", tuple(entries)), folder / "set")
    return folder / "set"


def message(dataset: Path, out: Path, **plan: Any) -> dict[str, Any]:
    chosen = {**SMALL, "steps": 6, "save_every": 3, "validate_every": 3, "sample_every": 3, **plan}
    whole = json.loads(plan_for("mini", pictures=3, trigger="zkv17", **chosen).to_json())
    return {"op": "train", "id": "t", "family": "mini", "dataset": str(dataset), "plan": whole, "out": str(out)}


def test_everything_is_told_and_the_choice_is_made(executor: Running, dataset: Path, tmp_path: Path) -> None:
    done = executor.run(message(dataset, tmp_path))
    losses = [loss for event in executor.told("step") for loss in event["losses"]]
    assert [step for step, _ in losses] == [1, 2, 3, 4, 5, 6]
    assert executor.told("step")[-1]["step"] == 6
    assert [event["step"] for event in executor.told("validated")] == [0, 3, 6]
    checkpoints = executor.told("checkpoint")
    assert [event["step"] for event in checkpoints] == [3, 6]
    assert all(Path(event["file"]).is_file() and len(event["sha256"]) == 64 for event in checkpoints)
    samples = executor.told("sampled")
    assert [(event["step"], event["n"]) for event in samples] == [(step, n) for step in (0, 3, 6) for n in (0, 1)]
    assert all(0 < event["similarity"] < 1 for event in samples)
    assert read_labels(Path(samples[0]["file"]).read_bytes()).source_type is SourceType.COMPOSITE
    assert {event["code"] for event in executor.told("log")} >= {"loading", "caching"}
    assert (done["steps"], done["stopped"]) == (6, False)
    assert [one["step"] for one in done["checkpoints"]] == [3, 6]
    assert done["best"] == done["choice"]["best"] in (3, 6)
    assert [step for step, _ in done["choice"]["merits"]] == [3, 6]
    means = [np.mean([event["similarity"] for event in samples if event["step"] == step]) for step in (3, 6)]
    assert [one["similarity"] for one in done["checkpoints"]] == pytest.approx(means, abs=1e-6)


def test_save_and_sample_now_happen_at_once_and_stop_ends_well(
    executor: Running, dataset: Path, tmp_path: Path
) -> None:
    asks = ["save", "sample"]

    def asked() -> str | None:
        if not executor.told("step"):
            return None
        if asks:
            return asks.pop(0)
        return "stop" if {event["step"] for event in executor.told("sampled")} - {0} else None

    far = {"steps": 4000, "save_every": 4000, "validate_every": 4000, "sample_every": 4000}
    done = executor.run(message(dataset, tmp_path, **far), asks=asked)
    saved = [event["step"] for event in executor.told("checkpoint")]
    assert len(saved) >= 2 and saved[-1] == done["steps"] < 4000
    assert done["stopped"] is True
    assert done["best"] in saved


def test_a_cancelled_training_keeps_its_last_step_and_goes_on_from_there(
    executor: Running, dataset: Path, tmp_path: Path
) -> None:
    asked = message(dataset, tmp_path, steps=40, save_every=40, validate_every=40, sample_every=0)
    with pytest.raises(JobError) as caught:
        executor.run(asked, should_cancel=lambda: bool(executor.told("step")))
    assert caught.value.kind == "cancelled"
    (kept,) = executor.told("checkpoint")
    before = executor.events[: executor.events.index(kept)]
    told = [step for event in before if event["event"] == "step" for step, _ in event["losses"]]
    assert told == list(range(1, kept["step"] + 1)), "what led to a checkpoint is told before it"
    assert 1 <= kept["step"] < 40 and Path(kept["file"]).is_file()
    done = executor.run(asked)
    assert ("resumed", kept["step"]) in [(event["code"], event.get("step")) for event in executor.told("log")]
    assert min(event["step"] for event in executor.told("step")) > kept["step"]
    assert done["steps"] == 40


def test_the_next_merchants_job_meets_nothing_of_a_training(
    executor: Running, dataset: Path, photo: Path, tmp_path: Path
) -> None:
    executor.run(shoot(photo, tmp_path / "before", seed=3))
    before = Path(executor.told("shot")[0]["files"]["full"]).read_bytes()
    executor.run(message(dataset, tmp_path / "training", steps=2, learning_rate=0.01))
    executor.run(shoot(photo, tmp_path / "after", seed=3))
    assert Path(executor.told("shot")[0]["files"]["full"]).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"plan": "fast"}, "message_plan_invalid"),
        ({"plan": {"trigger": "zkv17", "rank": 0}}, "plan_field_invalid"),
        ({"plan": {"trigger": "zkv17", "speed": 1}}, "plan_field_unknown"),
        ({"family": "nothing"}, "unknown_weights"),
        ({"colour": "red"}, "message_field_unknown"),
    ],
)
def test_a_training_that_makes_no_sense_is_refused(
    executor: Running, dataset: Path, tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(JobError) as caught:
        executor.run({**message(dataset, tmp_path), **change})
    assert caught.value.code == code
    assert not executor.told("step")


def test_an_ask_that_nobody_knows_is_refused_and_one_for_a_job_that_is_over_is_none(executor: Running) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(executor.socket))
        for line in ({"op": "steer", "id": "gone", "ask": "save"}, {"op": "steer", "id": "t", "ask": "hurry"}):
            link.sendall(json.dumps(line).encode() + b"\n")
        answer = json.loads(link.makefile().readline())
    assert (answer["id"], answer["code"]) == ("t", "ask_unknown")
