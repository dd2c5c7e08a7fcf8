"""LoRAs in a resident pipeline: the arithmetic is W + weight * alpha / r * up @ down, and nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save_file

from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.types import AdapterUse, FamilyFiles, Generate
from studio.errors import Cancelled, EngineError, InputError
from tests.studio.diffusion.lora_files import matrices, targets, write_diffusers, write_kohya

PARTS = ("unet", "text_encoder")
REQUEST = Generate("a coat", seed=3, steps=3, sampler="DDIM")


@pytest.fixture(scope="module")
def fresh(family: FamilyFiles) -> Iterator[DiffusersEngine]:
    """An engine that no other file's tests have loaded adapters into."""
    engine = DiffusersEngine(family, device="cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def bare(sd_engine: DiffusersEngine) -> np.ndarray:
    """The picture without any adapter."""
    return picture(sd_engine)


def picture(engine: DiffusersEngine, *uses: AdapterUse) -> np.ndarray:
    result = engine.generate(Generate(**{**vars(REQUEST), "adapters": uses}))
    return np.asarray(result.images[0], np.int16)


def merged(family: FamilyFiles, *changes: tuple[dict, float]) -> np.ndarray:
    """What an engine gives whose base weights were changed by hand."""
    engine = DiffusersEngine(family, device="cpu")
    for pairs, weight in changes:
        modules = targets(engine, parts=PARTS + ("text_encoder_2",) if "text_encoder_2" in engine.parts else PARTS)
        for name, (down, up) in pairs.items():
            modules[name].weight.data += weight * (up @ down)
    result = picture(engine)
    engine.close()
    return result


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one - other).max())


def parts_of(engine: DiffusersEngine) -> tuple[str, ...]:
    return tuple(part for part in ("unet", "text_encoder", "text_encoder_2") if part in engine.parts)


def test_diffusers_layout_equals_changed_weights(family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path) -> None:
    pairs = matrices(fresh, seed=1, parts=parts_of(fresh))
    path = write_diffusers(tmp_path / "a.safetensors", pairs)
    expected = merged(family, (pairs, 0.7))
    assert distance(picture(fresh, AdapterUse(path, 0.7)), expected) <= 1
    assert distance(picture(fresh), expected) > 20


def test_kohya_layout_with_alpha_equals_changed_weights(
    family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path
) -> None:
    pairs = matrices(fresh, seed=2, parts=parts_of(fresh))
    path = write_kohya(tmp_path / "k.safetensors", pairs, alpha=2.0, xl="text_encoder_2" in fresh.parts)
    assert distance(picture(fresh, AdapterUse(path)), merged(family, (pairs, 2.0 / 4))) <= 1


def test_the_alpha_that_diffusers_keeps_beside_the_weights_counts(
    family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path
) -> None:
    pairs = matrices(fresh, seed=2)
    config = {"unet.r": 4, "unet.lora_alpha": 8}
    path = write_diffusers(tmp_path / "m.safetensors", pairs, config=config)
    assert distance(picture(fresh, AdapterUse(path, 0.25)), merged(family, (pairs, 0.5))) <= 1


def test_bare_peft_names_are_the_denoisers(family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path) -> None:
    pairs = matrices(fresh, seed=4)
    tensors = {}
    for (_, name), (down, up) in pairs.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = down
        tensors[f"base_model.model.{name}.lora_B.weight"] = up
    save_file(tensors, tmp_path / "p.safetensors")
    assert distance(picture(fresh, AdapterUse(tmp_path / "p.safetensors")), merged(family, (pairs, 1.0))) <= 1


def test_several_with_weights_add_up(family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path) -> None:
    one, two = matrices(fresh, seed=5), matrices(fresh, seed=6, rank=2)
    first, second = write_diffusers(tmp_path / "1.safetensors", one), write_diffusers(tmp_path / "2.safetensors", two)
    expected = merged(family, (one, 0.5), (two, -0.8))
    assert distance(picture(fresh, AdapterUse(first, 0.5), AdapterUse(second, -0.8)), expected) <= 1


def test_the_text_encoder_may_have_its_own_weight(family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path) -> None:
    pairs = matrices(fresh, seed=7, parts=PARTS)
    path = write_diffusers(tmp_path / "t.safetensors", pairs)
    denoiser = {name: pair for name, pair in pairs.items() if name[0] == "unet"}
    given = picture(fresh, AdapterUse(path, 1.0, text_encoder_weight=0.0))
    assert distance(given, merged(family, (denoiser, 1.0))) <= 1


def test_a_swap_copies_into_the_tensors_that_are_there(fresh: DiffusersEngine, tmp_path: Path) -> None:
    first = write_diffusers(tmp_path / "1.safetensors", matrices(fresh, seed=8))
    fewer = dict(list(matrices(fresh, seed=9, rank=3).items())[:4])
    second = write_diffusers(tmp_path / "2.safetensors", fewer)
    before = picture(fresh, AdapterUse(first))
    places = {name: weight.data_ptr() for name, weight in fresh.parts["unet"].named_parameters() if "lora" in name}
    swapped = picture(fresh, AdapterUse(second))
    after = {name: weight.data_ptr() for name, weight in fresh.parts["unet"].named_parameters() if "lora" in name}
    assert places == after
    assert distance(before, swapped) > 20
    assert distance(before, picture(fresh, AdapterUse(first))) == 0


def test_a_picture_does_not_depend_on_what_was_loaded_before(
    family: FamilyFiles, fresh: DiffusersEngine, tmp_path: Path
) -> None:
    """Byte for byte: a slot's rank is the adapter's own, and modules it leaves out add exactly nothing."""
    wide = write_diffusers(tmp_path / "w.safetensors", matrices(fresh, seed=1, rank=8, parts=parts_of(fresh)))
    small = write_diffusers(tmp_path / "s.safetensors", dict(list(matrices(fresh, seed=2, rank=3).items())[:4]))
    other = write_diffusers(tmp_path / "o.safetensors", matrices(fresh, seed=3, parts=parts_of(fresh)))
    clean = DiffusersEngine(family, device="cpu")
    expected, bare = picture(clean, AdapterUse(small)), picture(DiffusersEngine(family, device="cpu"))
    picture(fresh, AdapterUse(wide), AdapterUse(other))
    assert distance(picture(fresh, AdapterUse(small)), expected) == 0
    assert distance(picture(fresh), bare) == 0


def test_a_file_that_changed_is_read_again(fresh: DiffusersEngine, tmp_path: Path) -> None:
    path = write_diffusers(tmp_path / "a.safetensors", matrices(fresh, seed=1))
    before = picture(fresh, AdapterUse(path))
    path.unlink()
    write_diffusers(path, matrices(fresh, seed=2))
    assert distance(before, picture(fresh, AdapterUse(path))) > 20


def test_a_cancelled_job_leaves_no_adapter(fresh: DiffusersEngine, tmp_path: Path) -> None:
    bare = picture(fresh)
    path = write_diffusers(tmp_path / "a.safetensors", matrices(fresh, seed=1))
    with pytest.raises(Cancelled):
        fresh.generate(Generate(**{**vars(REQUEST), "adapters": (AdapterUse(path),)}), should_cancel=lambda: True)
    assert distance(picture(fresh), bare) == 0


def test_tensors_changed_behind_its_back_are_noticed(fresh: DiffusersEngine, tmp_path: Path) -> None:
    path = write_diffusers(tmp_path / "a.safetensors", matrices(fresh, seed=1))
    picture(fresh, AdapterUse(path))
    layer = next(module for module in fresh.parts["unet"].modules() if hasattr(module, "lora_B"))
    victim = layer.lora_B[layer.active_adapters[0]].weight  # another slot's would only matter once it is used
    with torch.no_grad():
        victim.add_(0.5)
    with pytest.raises(EngineError) as caught:
        picture(fresh, AdapterUse(path))
    assert caught.value.code == "adapter_state"
    picture(fresh, AdapterUse(path))  # was taken out, is read again


BAD_METADATA = {
    "metadata": "{",
    "rank of zero": '{"unet.r": 0, "unet.lora_alpha": 8}',
    "no scale": '{"unet.r": 4, "unet.lora_alpha": NaN}',
    "scale in words": '{"unet.r": 4, "unet.lora_alpha": "eight"}',
}


def broken(path: Path, how: str) -> Path:
    content = path.read_bytes()
    tensors = load(content)  # not load_file: it maps the file that is overwritten below
    name = next(iter(tensors))
    if how == "truncated":
        path.write_bytes(content[:-100])
    elif how == "text":
        path.write_text("no weights at all, but more than eight bytes")
    elif how == "pickle":
        torch.save(tensors, path)
    elif how == "nan":
        save_file({**tensors, name: tensors[name] * float("nan")}, path)
    elif how == "dora":
        save_file({**tensors, "unet.a.dora_scale": torch.ones(2)}, path)
    elif how == "lokr":
        save_file({**tensors, "lora_unet_a.lokr_w1": torch.ones(2)}, path)
    elif how == "rank":
        save_file({**tensors, name: torch.ones(129, 16), name.replace("_A.", "_B."): torch.ones(16, 129)}, path)
    elif how in BAD_METADATA:
        save_file(tensors, path, metadata={"lora_adapter_metadata": BAD_METADATA[how]})
    elif how == "alpha":
        save_file({"lora_unet_a.lora_up.weight": torch.ones(4, 4), "lora_unet_a.alpha": torch.ones(2)}, path)
    elif how == "stranger":
        save_file({f"unet.nowhere.to_q.lora_{m}.weight": torch.ones(4, 4) for m in "AB"}, path)
    elif how == "shape":
        save_file({**tensors, name: torch.ones(4, 99)}, path)
    elif how == "half":
        save_file({key: value for key, value in tensors.items() if key != name}, path)
    elif how == "missing":
        path.unlink()
    return path


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("truncated", "safetensors_invalid"),
        ("text", "safetensors_limit"),
        ("pickle", "pickle_refused"),
        ("nan", "safetensors_not_finite"),
        ("rank", "safetensors_limit"),
        *((how, "adapter_metadata_unreadable") for how in BAD_METADATA),
        ("alpha", "adapter_layout_unknown"),
        ("dora", "adapter_kind_unsupported"),
        ("lokr", "adapter_kind_unsupported"),
        ("stranger", "adapter_not_for_family"),
        ("shape", "adapter_not_for_family"),
        ("half", "adapter_layout_unknown"),
        ("missing", "adapter_missing"),
    ],
)
def test_a_bad_file_is_refused_and_the_next_job_runs(
    sd_engine: DiffusersEngine, bare: np.ndarray, tmp_path: Path, how: str, code: str
) -> None:
    path = broken(write_diffusers(tmp_path / "a.safetensors", matrices(sd_engine, seed=1)), how)
    with pytest.raises(InputError) as caught:
        picture(sd_engine, AdapterUse(path))
    assert caught.value.code == code
    assert distance(picture(sd_engine), bare) == 0


def test_the_same_adapter_twice_is_refused(fresh: DiffusersEngine, tmp_path: Path) -> None:
    path = write_diffusers(tmp_path / "a.safetensors", matrices(fresh, seed=1))
    with pytest.raises(InputError) as caught:
        picture(fresh, AdapterUse(path), AdapterUse(path, 0.5))
    assert caught.value.code == "adapter_twice"


def test_the_picture_is_still_a_picture(fresh: DiffusersEngine, tmp_path: Path) -> None:
    path = write_diffusers(tmp_path / "a.safetensors", matrices(fresh, seed=1))
    result = fresh.generate(Generate(**{**vars(REQUEST), "adapters": (AdapterUse(path),)}))
    assert isinstance(result.images[0], Image.Image)
    assert len(result.parameters["adapters"][0]["sha256"]) == 64
