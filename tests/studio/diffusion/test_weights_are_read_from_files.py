"""A family comes from folders: safetensors only, and each thing wrong with them has its code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.parts import from_located
from studio.diffusion.types import FamilyFiles, Generate
from studio.errors import InputError, WeightsError


def copied(family: FamilyFiles, to: Path) -> FamilyFiles:
    for part in family.parts:
        shutil.copytree(part.folder, to / part.name)
    return replace(family, parts=tuple(replace(part, folder=to / part.name) for part in family.parts))


def refused(family: FamilyFiles) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        DiffusersEngine(family, device="cpu")
    return caught.value


def test_a_missing_part_names_the_command_that_fetches_it(sd_family: FamilyFiles, tmp_path: Path) -> None:
    family = copied(sd_family, tmp_path)
    shutil.rmtree(tmp_path / "vae")
    error = refused(family)
    assert error.code == "weights_missing"
    assert "weights fetch tiny" in error.message and "vae" in error.message


def test_a_pickle_is_refused(sd_family: FamilyFiles, tmp_path: Path) -> None:
    family = copied(sd_family, tmp_path)
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({"a": torch.ones(1)}, tmp_path / "unet" / "diffusion_pytorch_model.bin")
    assert refused(family).code == "pickle_refused"


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_a_damaged_file_is_said(sd_family: FamilyFiles, tmp_path: Path, part: str) -> None:
    family = copied(sd_family, tmp_path)
    path = next((tmp_path / part).glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1000])
    error = refused(family)
    assert error.code == "weights_damaged"
    assert "weights verify tiny" in error.message


def test_unknown_devices_and_dtypes_are_refused(sd_family: FamilyFiles) -> None:
    for options, code in (({"device": "gpu9"}, "device_unknown"), ({"dtype": "int3"}, "dtype_unknown")):
        with pytest.raises(InputError) as caught:
            DiffusersEngine(sd_family, **options)
        assert caught.value.code == code


def test_without_a_controlnet_the_rest_still_works(sd_family: FamilyFiles) -> None:
    parts = tuple(part for part in sd_family.parts if part.name != "controlnet")
    engine = DiffusersEngine(replace(sd_family, parts=parts), device="cpu")
    assert engine.capabilities.controls == frozenset()
    assert len(engine.generate(Generate("a coat", seed=1, steps=1)).images) == 1


def test_half_precision_runs_on_a_cpu(sd_family: FamilyFiles) -> None:
    engine = DiffusersEngine(sd_family, device="cpu", dtype="bfloat16")
    assert engine.describe()["dtype"] == "bfloat16"
    assert engine.generate(Generate("a coat", seed=1, steps=2)).images[0].size == (64, 96)


def test_the_weights_rooms_families_have_what_the_engine_needs(tmp_path: Path) -> None:
    from studio.weights.registry import FAMILIES
    from studio.weights.types import LocatedWeights

    for name in ("mini", "sd15", "sdxl"):
        row = FAMILIES[name]
        folders = {part.name: tmp_path / part.name for part in row.components}
        files = from_located(LocatedWeights(row, tmp_path, folders, "import", {}))
        assert {"vae", "unet", "controlnet", "scheduler", "tokenizer", "text_encoder"} <= {p.name for p in files.parts}
        assert (files.defaults.width, files.defaults.height) == row.native_sizes[0]
    row = FAMILIES["sam_vit_b"]
    with pytest.raises(WeightsError) as caught:
        from_located(LocatedWeights(row, tmp_path, {"checkpoint": tmp_path}, "import", {}))
    assert caught.value.code == "weights_not_for_pictures"


def test_importing_the_room_brings_no_tensors_along() -> None:
    modules = "studio.diffusion.engine, studio.diffusion.types, studio.diffusion.checks, studio.diffusion.samplers"
    heavy = "{'torch', 'diffusers', 'transformers', 'peft', 'safetensors'}"
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
