"""Progress, cancel, save now, sample now, validation at fixed questions, memory that runs out, precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.dataset.types import DataSet
from studio.diffusion.types import FamilyFiles
from studio.errors import EngineError, InputError, OutOfMemory
from studio.lora import run as run_module
from studio.lora.networks import Networks
from studio.lora.training import train
from studio.lora.types import Callbacks, Plan, SampleReport
from tests.studio.lora.conftest import PLAN
from tests.studio.lora.sets import small_set


@dataclass
class Seen:
    """Everything a training told."""

    steps: list[Any] = field(default_factory=list)
    validations: list[Any] = field(default_factory=list)
    samples: list[Any] = field(default_factory=list)
    checkpoints: list[Any] = field(default_factory=list)
    logs: list[tuple[str, Any]] = field(default_factory=list)

    def callbacks(self, **asked: Callable[[], bool]) -> Callbacks:
        def log(code: str, said: Any) -> None:
            self.logs.append((code, said))

        return Callbacks(
            self.steps.append, self.validations.append, self.samples.append, self.checkpoints.append, log, **asked
        )


def test_everything_is_told_in_order(family: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    seen, plan = Seen(), replace(PLAN, sample_every=2, samples=2)
    trained = train(family, dataset, plan, out=tmp_path, callbacks=seen.callbacks(), device="cpu")
    assert [one.step for one in seen.steps] == [1, 2, 3, 4]
    assert tuple(one.loss for one in seen.steps) == trained.losses
    assert [one.step for one in seen.validations] == [0, 2, 4]
    assert [(one.step, one.n, one.seed) for one in seen.samples] == [(s, n, 3 + n) for s in (0, 2, 4) for n in (0, 1)]
    assert tuple(seen.checkpoints) == trained.checkpoints
    assert [one.step for one in trained.checkpoints] == [2, 4]
    for sample in seen.samples:
        assert sample.file is not None and Image.open(sample.file).size == sample.image.size == (64, 96)
        assert sample.prompt == "zkx coat, photo 100" and 0 <= sample.similarity <= 1
    last = trained.checkpoints[-1]
    assert last.validation_loss == seen.validations[-1].loss
    assert last.similarity == pytest.approx(sum(one.similarity for one in seen.samples[-2:]) / 2)
    assert seen.samples[0].image.tobytes() != seen.samples[-2].image.tobytes()
    assert min(one.memory for one in seen.steps) > 1 << 20
    assert seen.steps[0].smoothed == pytest.approx(seen.steps[0].loss)
    rates = [one.learning_rate / plan.learning_rate for one in seen.steps]
    assert rates == pytest.approx([0, 1, 0.75, 0.25])  # one step of warm-up, then a half cosine over the three left


def test_training_makes_the_held_out_loss_smaller(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    plan = replace(PLAN, steps=60, save_every=0, validate_every=0, modules="attention+conv", learning_rate=5e-3)
    trained = train(sd, dataset, plan, out=tmp_path, device="cpu")
    first, last = trained.validations
    assert (first.step, last.step) == (0, 60)
    assert last.loss < first.loss * 0.9


def test_cancel_saves_and_the_same_call_goes_on(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    plan = replace(PLAN, steps=8, save_every=0, validate_every=0)
    whole = train(sd, dataset, plan, out=tmp_path / "whole", device="cpu")
    seen = Seen()
    callbacks = seen.callbacks(should_cancel=lambda: len(seen.steps) == 3)
    stopped = train(sd, dataset, plan, out=tmp_path / "stopped", callbacks=callbacks, device="cpu")
    assert stopped.cancelled and stopped.steps_done == 3
    assert [one.step for one in stopped.checkpoints] == [3]
    assert stopped.checkpoints[0].validation_loss is not None
    assert seen.logs[-1] == ("cancelled", {"step": 3})
    again = train(sd, dataset, plan, out=tmp_path / "stopped", device="cpu")
    assert not again.cancelled and again.losses == whole.losses
    assert again.checkpoints[-1].sha256 == whole.checkpoints[-1].sha256


def test_cancel_while_encoding_leaves_nothing(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    trained = train(sd, dataset, PLAN, out=tmp_path, callbacks=Callbacks(should_cancel=lambda: True), device="cpu")
    assert trained.cancelled and trained.steps_done == 0 and trained.checkpoints == ()
    assert not list(tmp_path.iterdir())


def test_save_now_and_sample_now(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    seen, plan = Seen(), replace(PLAN, save_every=0, validate_every=0)
    asked = seen.callbacks(wants_save=lambda: len(seen.steps) == 1, wants_sample=lambda: len(seen.steps) == 3)
    trained = train(sd, dataset, plan, out=tmp_path, callbacks=asked, device="cpu")
    assert [one.step for one in trained.checkpoints] == [1, 4]
    assert [one.step for one in seen.samples] == [3]
    quiet = train(sd, dataset, plan, out=tmp_path / "quiet", device="cpu")
    assert quiet.losses == trained.losses  # neither moved what is drawn afterwards


def test_validation_asks_the_same_each_time(sd: FamilyFiles, tmp_path: Path) -> None:
    """At a rate of nearly nothing the held-out loss stays, whatever else is drawn; in another batch size too."""
    pictures = small_set(tmp_path / "set", held_out=2)
    plan = replace(PLAN, learning_rate=1e-8, save_every=0, validate_every=1)
    trained = train(sd, pictures, plan, out=tmp_path / "a", device="cpu")
    losses = [one.loss for one in trained.validations]
    assert len(losses) == 5
    assert losses == pytest.approx([losses[0]] * 5, rel=1e-4)
    other = train(sd, pictures, replace(plan, batch_size=1, seed=77), out=tmp_path / "b", device="cpu")
    assert other.validations[0].loss == pytest.approx(losses[0], rel=1e-5)


def test_nothing_held_out_is_nothing_validated(sd: FamilyFiles, tmp_path: Path) -> None:
    seen, plan = Seen(), replace(PLAN, sample_every=2)
    pictures = small_set(tmp_path / "set", held_out=0)
    trained = train(sd, pictures, plan, out=tmp_path / "out", callbacks=seen.callbacks(), device="cpu")
    assert trained.validations == ()
    assert [one.validation_loss for one in trained.checkpoints] == [None, None]
    assert [one.similarity for one in seen.samples] == [None] * 3


def test_a_sampler_of_ones_own_sees_the_adapter(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    active = []

    def sampler(networks: Networks, step: int) -> Iterator[SampleReport]:
        ups = [value for name, value in networks.trainable().items() if "lora_B" in name]
        active.append((step, networks.unet.training, any(bool(up.any()) for up in ups)))
        yield SampleReport(step, 0, 7, "mine", 0, Image.new("RGB", (8, 8)), similarity=0.25 * step)

    plan = replace(PLAN, sample_every=2)
    trained = train(sd, dataset, plan, out=tmp_path, sampler=sampler, device="cpu")
    assert active == [(0, False, False), (2, False, True), (4, False, True)]
    assert [one.similarity for one in trained.checkpoints] == [0.5, 1.0]


def short_of_memory(monkeypatch: pytest.MonkeyPatch, *, always: bool) -> None:
    """The third step's pass does not fit, unless gradients are checkpointed."""
    original, calls = run_module.losses_of, []

    def losses_of(networks: Networks, *arguments: Any, **named: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) >= 3 and (always or not networks.unet.is_gradient_checkpointing):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return original(networks, *arguments, **named)

    monkeypatch.setattr(run_module, "losses_of", losses_of)


def test_gradient_checkpointing_comes_when_memory_asks_and_changes_no_loss(
    sd: FamilyFiles, dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, validate_every=0, save_every=0)
    plain = train(sd, dataset, plan, out=tmp_path / "plain", device="cpu")
    always = replace(plan, gradient_checkpointing="on")
    assert train(sd, dataset, always, out=tmp_path / "on", device="cpu").losses == plain.losses
    short_of_memory(monkeypatch, always=False)
    seen = Seen()
    short = train(sd, dataset, plan, out=tmp_path / "short", callbacks=seen.callbacks(), device="cpu")
    assert ("gradient_checkpointing", {"step": 3}) in seen.logs
    assert short.losses == plain.losses


@pytest.mark.parametrize("setting", ["auto", "off"])
def test_what_does_not_fit_at_all_is_said(
    sd: FamilyFiles, dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    short_of_memory(monkeypatch, always=True)
    plan = replace(PLAN, gradient_checkpointing=setting, validate_every=0)
    with pytest.raises(OutOfMemory):
        train(sd, dataset, plan, out=tmp_path, device="cpu")
    assert (tmp_path / "step-000002" / "adapter.safetensors").is_file()


def test_half_precision_trains_close_to_full(family: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    plan = replace(PLAN, validate_every=0, save_every=0, text_encoder=True, sample_every=4)
    full = train(family, dataset, plan, out=tmp_path / "full", device="cpu")
    half = train(family, dataset, replace(plan, precision="bf16"), out=tmp_path / "half", device="cpu")
    assert half.losses != full.losses
    assert half.losses == pytest.approx(full.losses, rel=0.1, abs=0.02)


def test_fp16_on_a_cpu_is_refused(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        train(sd, dataset, replace(PLAN, precision="fp16"), out=tmp_path, device="cpu")
    assert caught.value.code == "precision_unsupported"


def test_a_loss_that_breaks_down_ends_the_training_with_its_checkpoints(
    sd: FamilyFiles, dataset: DataSet, tmp_path: Path
) -> None:
    def spoil(step: Any) -> None:
        if step.step == 3:
            holder[0].trainable()[next(iter(holder[0].trainable()))].data.fill_(float("nan"))

    holder: list[Networks] = []

    def sampler(networks: Networks, step: int) -> Iterator[SampleReport]:
        holder.append(networks)
        return iter(())

    with pytest.raises(EngineError) as caught:
        train(sd, dataset, replace(PLAN, sample_every=4), out=tmp_path, callbacks=Callbacks(on_step=spoil),
              sampler=sampler, device="cpu")  # fmt: skip
    assert caught.value.code == "not_finite"
    assert "unstable" in caught.value.message and "learning rate" in caught.value.message  # words, no field's name
    assert [path.name for path in sorted(tmp_path.glob("step-*"))] == ["step-000002"]


def test_an_engine_keeps_its_modules(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    from studio.diffusion.engine import DiffusersEngine

    engine = DiffusersEngine(sd, device="cpu")
    before = {name: value.clone() for name, value in engine.parts["unet"].state_dict().items()}
    trained = train(engine, dataset, PLAN, out=tmp_path, device="cpu")
    after = engine.parts["unet"].state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert trained.steps_done == 4
    engine.close()


def test_a_family_of_another_kind_is_refused(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    import json
    import shutil

    parts = tuple(
        replace(part, folder=Path(shutil.copytree(part.folder, tmp_path / part.name)))
        if part.name == "scheduler" else part
        for part in sd.parts
    )  # fmt: skip
    config = tmp_path / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "prediction_type": "sample"}))
    plan: Plan = PLAN
    with pytest.raises(InputError) as caught:
        train(replace(sd, parts=parts), dataset, plan, out=tmp_path / "out", device="cpu")
    assert caught.value.code == "family_not_trainable"
