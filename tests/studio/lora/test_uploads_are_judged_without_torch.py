"""A LoRA from outside: every layout is told, its base found, and nonsense refused with a code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save_file

from studio.errors import InputError
from studio.lora.layouts import kohya_name, sgm_name
from studio.lora.module_table import ARCHITECTURES, module_shapes
from studio.lora.uploads import check_upload

Tensors = dict[str, torch.Tensor]
ENDS = ("to_q", "to_out.0", "conv1", "proj_in", "self_attn.k_proj")


def pairs(family: str, *, rank: int = 4) -> dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]]:
    """A few modules of every component, random."""
    made = {}
    chosen = [(module, shapes[0]) for module, shapes in module_shapes(family).items() if module[1].endswith(ENDS)]
    for module, (out, *rest) in chosen[:: max(1, len(chosen) // 40)]:
        made[module] = (torch.randn(rank, *rest), torch.randn(out, rank, *([1] * (len(rest) - 1))))
    return made


def diffusers_layout(family: str, **named: int) -> Tensors:
    made = {}
    for (component, module), (down, up) in pairs(family, **named).items():
        made[f"{component}.{module}.lora_A.weight"] = down
        made[f"{component}.{module}.lora_B.weight"] = up
    return made


def peft_layout(family: str) -> Tensors:
    """The denoiser alone, as peft's ``save_pretrained`` writes it."""
    return {
        f"base_model.model.{name.removeprefix('unet.')}": tensor
        for name, tensor in diffusers_layout(family).items()
        if name.startswith("unet.")
    }


def old_layout(family: str) -> Tensors:
    """diffusers before peft: attention processors."""
    made = {}
    for (component, module), (down, up) in pairs(family).items():
        if component == "unet" and module.endswith(("to_q", "to_out.0")):
            stem, _, end = module.removesuffix(".0").rpartition(".")
            made[f"unet.{stem}.processor.{end}_lora.down.weight"] = down
            made[f"unet.{stem}.processor.{end}_lora.up.weight"] = up
    return made


def kohya_layout(family: str) -> Tensors:
    found, made = ARCHITECTURES[family], {}
    for (component, module), (down, up) in pairs(family).items():
        stem = kohya_name(component, module, xl=found.xl, layers=found.layers)
        made |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(2.0)}
    return made


def write(path: Path, tensors: Tensors, **metadata: str) -> Path:
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata=metadata or None)
    return path


@pytest.mark.parametrize("family", list(ARCHITECTURES))
@pytest.mark.parametrize("layout", [diffusers_layout, peft_layout, old_layout, kohya_layout])
def test_each_layout_of_each_base_is_told(family: str, layout: Callable[[str], Tensors], tmp_path: Path) -> None:
    upload = check_upload(write(tmp_path / "a.safetensors", layout(family)), family=family)
    assert upload.families == (family,)
    assert upload.layout == ("kohya" if layout is kohya_layout else "diffusers")
    assert upload.rank == 4
    components = {"unet"} if layout in (peft_layout, old_layout) else {module[0] for module in pairs(family)}
    assert upload.modules.keys() == components
    assert sum(upload.modules.values()) * 2 == sum(not name.endswith(".alpha") for name in layout(family))
    for other in ARCHITECTURES.keys() - {family}:
        with pytest.raises(InputError) as caught:
            check_upload(tmp_path / "a.safetensors", family=other)
        assert caught.value.code == "adapter_not_for_family"


def test_metadata_names_trigger_and_base(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", diffusers_layout("mini"), **{"modelspec.trigger_phrase": "zkx"})
    assert check_upload(path, family=None).trigger == "zkx"
    said = {"imodel.trigger": "zky", "imodel.base_sha256": "ab" * 32}
    found = check_upload(write(tmp_path / "b.safetensors", diffusers_layout("mini"), **said), family="mini")
    assert (found.trigger, found.base_sha256) == ("zky", "ab" * 32)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("pickle", "pickle_refused"),
        ("text", "safetensors_limit"),
        ("cut", "safetensors_invalid"),
        ("nan", "safetensors_not_finite"),
        ("rank", "safetensors_limit"),
        ("ranks", "adapter_base_unknown"),
        ("dora", "adapter_kind_unsupported"),
        ("loha", "adapter_kind_unsupported"),
        ("half", "adapter_layout_unknown"),
        ("stranger", "adapter_layout_unknown"),
        ("alpha", "adapter_layout_unknown"),
        ("module", "adapter_base_unknown"),
        ("shape", "adapter_base_unknown"),
        ("missing", "adapter_missing"),
    ],
)
def test_what_is_wrong_is_named(how: str, code: str, tmp_path: Path) -> None:
    path = spoiled(write(tmp_path / "a.safetensors", diffusers_layout("mini")), how)
    with pytest.raises(InputError) as caught:
        check_upload(path, family="mini")
    assert caught.value.code == code


def spoiled(path: Path, how: str) -> Path:
    tensors = load(path.read_bytes())
    down = next(name for name in tensors if name.endswith("to_q.lora_A.weight"))
    up = down.replace("lora_A", "lora_B")
    changes: dict[str, Callable[[], Tensors]] = {
        "nan": lambda: {down: tensors[down] * float("nan")},
        "rank": lambda: {down: torch.ones(129, 64), up: torch.ones(64, 129)},
        "ranks": lambda: {down: torch.ones(3, tensors[down].shape[1])},
        "dora": lambda: {"unet.a.lora_magnitude_vector": torch.ones(2)},
        "loha": lambda: {"lora_unet_a.hada_w1_a": torch.ones(2, 2)},
        "stranger": lambda: {"unet.conv_in.weight": torch.ones(2)},
        "alpha": lambda: {"unet.a.alpha": torch.ones(2)},
        "module": lambda: {f"unet.nowhere.to_q.lora_{m}.weight": torch.ones(4, 4) for m in "AB"},
        "shape": lambda: {down: torch.ones(4, 99)},
    }
    if how == "half":
        del tensors[up]
        save_file(tensors, path)
    elif how in changes:
        save_file({**tensors, **changes[how]()}, path)
    elif how == "pickle":
        torch.save(tensors, path)
    elif how == "text":
        path.write_text("no weights at all, but more than eight bytes")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-64])
    elif how == "missing":
        path.unlink()
    return path


@pytest.mark.parametrize(("rank", "code"), [(129, "adapter_rank_too_large"), (0, "adapter_layout_unknown")])
def test_ranks_are_judged_in_names_of_before_peft_too(rank: int, code: str, tmp_path: Path) -> None:
    resized = {
        name: torch.zeros(rank, *tensor.shape[1:]) if ".down." in name else torch.zeros(len(tensor), rank)
        for name, tensor in old_layout("mini").items()
    }
    with pytest.raises(InputError) as refused:
        check_upload(write(tmp_path / "old.safetensors", resized), family="mini")
    assert refused.value.code == code


def test_sdxl_is_numbered_as_its_makers_number_it() -> None:
    """Pairs from sd-scripts' and diffusers' conversion of SDXL's blocks (three levels, two layers each)."""
    pairs = {
        "down_blocks.1.attentions.0.transformer_blocks.1.ff.net.2": "input_blocks.4.1.transformer_blocks.1.ff.net.2",
        "down_blocks.2.attentions.1.proj_out": "input_blocks.8.1.proj_out",
        "down_blocks.0.resnets.1.conv2": "input_blocks.2.0.out_layers.3",
        "down_blocks.2.resnets.0.conv_shortcut": "input_blocks.7.0.skip_connection",
        "down_blocks.1.downsamplers.0.conv": "input_blocks.6.0.op",
        "mid_block.attentions.0.proj_in": "middle_block.1.proj_in",
        "mid_block.resnets.1.time_emb_proj": "middle_block.2.emb_layers.1",
        "up_blocks.0.attentions.2.proj_in": "output_blocks.2.1.proj_in",
        "up_blocks.1.upsamplers.0.conv": "output_blocks.5.2.conv",
        "up_blocks.2.resnets.2.conv1": "output_blocks.8.0.in_layers.2",
        "conv_out": "conv_out",
    }
    assert {name: sgm_name(name, layers=2) for name in pairs} == pairs


def test_the_judge_loads_no_torch(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", kohya_layout("mini"))
    code = (
        "import sys; from pathlib import Path; from studio.lora.uploads import check_upload; import studio.lora.types, "
        "studio.lora.plans; "
        f"check_upload(Path({str(path)!r}), family='mini'); "
        "print(sorted({'torch', 'safetensors', 'diffusers', 'peft', 'cv2'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
