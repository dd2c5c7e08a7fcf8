"""A training goes on with the weights of an earlier one, of any layout and of a smaller rank; its optimiser is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from studio.dataset.types import DataSet
from studio.diffusion.types import FamilyFiles
from studio.errors import InputError
from studio.lora.headers import export_kohya
from studio.lora.networks import load_networks
from studio.lora.starting import begin_with
from studio.lora.training import train
from studio.lora.types import Callbacks, Plan
from tests.studio.lora.conftest import KINDS, PLAN

CPU = torch.device("cpu")
WIDE = replace(PLAN, modules="attention+conv", text_encoder=True, text_learning_rate=5e-2, learning_rate=5e-2, steps=2)


@pytest.fixture(scope="module")
def earlier(
    families: dict[str, FamilyFiles], dataset: DataSet, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A trained adapter of each architecture: rank 4, alpha 8."""
    made = {}
    for kind, files in families.items():
        out = tmp_path_factory.mktemp(f"earlier-{kind}")
        made[kind] = train(files, dataset, replace(WIDE, family=kind), out=out, device="cpu").checkpoints[-1].adapter
    return made


def changes(pairs: Mapping[str, torch.Tensor], scale: float) -> dict[str, torch.Tensor]:
    """What a LoRA adds to each module's weight, by the module's name."""
    found = {}
    for name, down in pairs.items():
        if ".lora_A." in name:
            up = pairs[name.replace(".lora_A.", ".lora_B.")]
            module = name.split(".lora_A.")[0].replace("text_model.", "")
            found[module] = scale * (up.flatten(1).float() @ down.flatten(1).float())
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", ["diffusers", "kohya"])
def test_the_first_step_starts_where_the_adapter_is_whatever_rank_alpha_and_layout(
    kind: str, layout: str, families: dict[str, FamilyFiles], earlier: dict[str, Path], tmp_path: Path
) -> None:
    start = earlier[kind]
    if layout == "kohya":
        start = tmp_path / "kohya.safetensors"
        export_kohya(earlier[kind], start)
    plan = replace(WIDE, family=kind, rank=6, alpha=3.0)
    networks = load_networks(families[kind], plan, device=CPU)
    begin_with(networks, plan, start)
    own = {name.replace(".garment.", "."): value.detach() for name, value in networks.trainable().items()}
    ours, theirs = changes(own, 3.0 / 6), changes(load_file(earlier[kind]), 8.0 / 4)
    assert ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)
    assert max(float(value.abs().max()) for value in ours.values()) > 1e-4


def test_what_the_adapter_leaves_out_starts_at_nothing(sd: FamilyFiles, dataset: DataSet, tmp_path: Path) -> None:
    small = train(sd, dataset, PLAN, out=tmp_path / "small", device="cpu").checkpoints[-1].adapter
    networks = load_networks(sd, WIDE, device=CPU)
    begin_with(networks, WIDE, small)
    moved = {name for name, value in networks.trainable().items() if "lora_B" in name and value.any()}
    assert moved and all(".attn" in name and not name.startswith("text_encoder") for name in moved)
    assert all(value.any() for name, value in networks.trainable().items() if "lora_A" in name)  # or nothing could grow


def test_it_is_another_training_than_one_begun_anew_and_says_what_it_began_with(
    sd: FamilyFiles, dataset: DataSet, earlier: dict[str, Path], tmp_path: Path
) -> None:
    notes = []
    listen = Callbacks(on_log=lambda code, values: notes.append((code, dict(values))))
    begun = train(sd, dataset, WIDE, out=tmp_path / "begun", start=earlier["tiny"], callbacks=listen, device="cpu")
    anew = train(sd, dataset, WIDE, out=tmp_path / "anew", device="cpu")
    assert begun.validations[0].loss != anew.validations[0].loss  # of step 0: the earlier adapter's, and the base's
    with safe_open(begun.checkpoints[-1].adapter, "pt") as file:
        said = file.metadata()["imodel.start_sha256"]
    with safe_open(anew.checkpoints[-1].adapter, "pt") as file:
        assert "imodel.start_sha256" not in file.metadata()
    assert ("begun", {"sha256": said}) in notes


def test_one_that_was_stopped_goes_on_from_its_checkpoint_and_not_from_the_start_again(
    sd: FamilyFiles, dataset: DataSet, earlier: dict[str, Path], tmp_path: Path
) -> None:
    start, plan = earlier["tiny"], replace(WIDE, steps=4)
    whole = train(sd, dataset, plan, out=tmp_path / "whole", start=start, device="cpu")
    done: list[object] = []
    stop = Callbacks(on_step=done.append, should_cancel=lambda: bool(done))
    assert train(sd, dataset, plan, out=tmp_path / "two", start=start, callbacks=stop, device="cpu").cancelled
    notes: list[str] = []
    listen = Callbacks(on_log=lambda code, values: notes.append(code))
    again = train(sd, dataset, plan, out=tmp_path / "two", start=start, callbacks=listen, device="cpu")
    assert again.losses == whole.losses
    assert again.checkpoints[-1].sha256 == whole.checkpoints[-1].sha256
    assert "resumed" in notes and "begun" not in notes
    with pytest.raises(InputError) as caught:
        train(sd, dataset, plan, out=tmp_path / "two", device="cpu")
    assert caught.value.code == "training_differs"


@pytest.mark.parametrize("narrow", [{"rank": 2}, {"modules": "attention"}, {"text_encoder": False}])
def test_a_plan_that_can_not_hold_it_is_refused(
    narrow: dict[str, object], sd: FamilyFiles, earlier: dict[str, Path]
) -> None:
    plan = Plan(**{**vars(WIDE), **narrow})
    networks = load_networks(sd, plan, device=CPU)
    with pytest.raises(InputError) as caught:
        begin_with(networks, plan, earlier["tiny"])
    assert caught.value.code == "start_not_for_plan"


def test_an_adapter_of_another_base_is_refused(sd: FamilyFiles, earlier: dict[str, Path]) -> None:
    networks = load_networks(sd, WIDE, device=CPU)
    with pytest.raises(InputError) as caught:
        begin_with(networks, WIDE, earlier["tiny_xl"])
    assert caught.value.code == "start_not_for_plan"
