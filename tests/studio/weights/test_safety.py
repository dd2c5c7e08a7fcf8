"""Safetensors, checkpoints, arrays and graphs judged by content."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from studio.errors import WeightsError
from studio.weights.foreign import check_onnx, load_npy, load_torch_checkpoint
from studio.weights.safety import ADAPTER_LIMITS, BASE_LIMITS, Limits, check_safetensors
from tests.studio.weights.makers import Harmful, safetensors, with_header

ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def judge(tmp_path: Path, content: bytes, limits: Limits = BASE_LIMITS) -> str:
    """The code that a file of this content is refused with, empty when it passes."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    try:
        check_safetensors(path, limits, finite=True)
    except WeightsError as error:
        return error.code
    return ""


def test_what_the_safetensors_library_writes_passes(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {"a.b": torch.ones(3, 2, dtype=torch.bfloat16), "n": torch.arange(5), "empty": torch.zeros(0, 4)}
    save_file(tensors, path, metadata={"format": "pt"})

    report = check_safetensors(path, finite=True)

    assert report.tensors["a.b"].shape == (3, 2)
    assert report.tensors["n"].dtype == "I64"
    assert report.metadata == {"format": "pt"}


def test_a_header_whose_length_looks_like_a_pickle_passes(tmp_path: Path) -> None:
    text = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(640)

    assert judge(tmp_path, struct.pack("<Q", 640) + text + bytes(8)) == ""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "safetensors_invalid"),
        (b"not weights at all", "safetensors_limit"),
        (struct.pack("<Q", 2) + b"[]" + bytes(8), "safetensors_invalid"),
        (struct.pack("<Q", 500) + b"{}", "safetensors_invalid"),
        (struct.pack("<Q", 2 << 20) + bytes(3 << 20), "safetensors_limit"),
        (struct.pack("<Q", 8) + b'{"w":1e9' + bytes(8), "safetensors_invalid"),
        (struct.pack("<Q", 60_005) + b'{"w":' + b"[" * 60_000, "safetensors_invalid"),
        (struct.pack("<Q", 15) + b'{"a":1,"a":2}  ', "safetensors_invalid"),
        (with_header({}), "safetensors_invalid"),
        (with_header({"w": {**ONE, "data_offsets": [0, 9]}}, bytes(9)), "safetensors_invalid"),
        (with_header({"w": ONE}, bytes(7)), "safetensors_invalid"),
        (with_header({"w": ONE}, bytes(9)), "safetensors_invalid"),
        (with_header({"w": {**ONE, "data_offsets": [1, 9]}}, bytes(9)), "safetensors_invalid"),
        (with_header({"w": ONE, "v": ONE}, bytes(16)), "safetensors_invalid"),
        (with_header({"w": {**ONE, "shape": [-2]}}, bytes(8)), "safetensors_invalid"),
        (with_header({"w": {**ONE, "shape": [True, 2]}}, bytes(8)), "safetensors_invalid"),
        (with_header({"w": {**ONE, "shape": [2**70, 0], "data_offsets": [0, 0]}}), "safetensors_invalid"),
        (with_header({"w": {**ONE, "more": 1}}, bytes(8)), "safetensors_invalid"),
        (with_header({"w": ONE, "__metadata__": {"a": 1}}, bytes(8)), "safetensors_invalid"),
        (with_header({"w": {**ONE, "dtype": "C64", "data_offsets": [0, 16]}}, bytes(16)), "safetensors_limit"),
        (with_header({"../../w": ONE}, bytes(8)), "safetensors_limit"),
        (with_header({"w\u202e": ONE}, bytes(8)), "safetensors_limit"),
        (
            with_header({f"w{i}": {**ONE, "shape": [0], "data_offsets": [0, 0]} for i in range(5001)}),
            "safetensors_limit",
        ),
    ],
)
def test_safetensors_that_are_bent_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    assert judge(tmp_path, content) == code


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_one_value_that_is_not_a_number_is_found(tmp_path: Path, dtype: str, bad: float) -> None:
    array = np.ones(70_000, dtype)
    array[69_999] = bad

    assert judge(tmp_path, safetensors({"first": np.ones(3, dtype), "w": array})) == "safetensors_not_finite"


def test_infinity_in_bfloat16_is_found_and_its_largest_number_is_not(tmp_path: Path) -> None:
    for value, code in ((torch.inf, "safetensors_not_finite"), (torch.finfo(torch.bfloat16).max, "")):
        save_file({"w": torch.tensor([1.0, value], dtype=torch.bfloat16)}, tmp_path / "b.safetensors")
        assert judge(tmp_path, (tmp_path / "b.safetensors").read_bytes()) == code


def test_an_adapter_holds_low_rank_pairs_and_nothing_else(tmp_path: Path) -> None:
    def pair(rank: int) -> dict[str, Any]:
        down, up = np.ones((rank, 8), np.float32), np.ones((8, rank), np.float32)
        return {"unet.a.to_q.lora_A.weight": down, "unet.a.to_q.lora_B.weight": up}

    assert judge(tmp_path, safetensors(pair(128)), ADAPTER_LIMITS) == ""
    assert judge(tmp_path, safetensors(pair(129)), ADAPTER_LIMITS) == "safetensors_limit"
    assert judge(tmp_path, safetensors({**pair(4), "unet.a.to_q.weight": np.ones(4)}), ADAPTER_LIMITS) == (
        "safetensors_limit"
    )
    integers = {"unet.a.to_q.lora_A.weight": np.ones((4, 8), np.int64)}
    assert judge(tmp_path, safetensors(integers), ADAPTER_LIMITS) == "safetensors_limit"


def test_every_way_to_write_a_pickle_is_refused_unopened(tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Harmful(proof)))
    legacy = io.BytesIO()
    torch.save({"w": torch.ones(2)}, legacy, _use_new_zipfile_serialization=False)
    contents = [pickle.dumps({"w": Harmful(proof)}, protocol=protocol) for protocol in range(6)]

    for content in [*contents, archive.getvalue(), legacy.getvalue()]:
        assert judge(tmp_path, content) == "pickle_refused"
    assert not proof.exists()


def test_a_sam_checkpoint_is_read_and_one_that_would_run_code_is_not(tmp_path: Path) -> None:
    path, proof = tmp_path / "model.pth", tmp_path / "it-ran"
    torch.save({"a": torch.ones(2), "b": torch.zeros(1)}, path)
    assert load_torch_checkpoint(path)["a"].tolist() == [1.0, 1.0]

    for harmful in ({"a": Harmful(proof)}, {"a": [torch.ones(1)]}, [torch.ones(1)], {}):
        torch.save(harmful, path)
        with pytest.raises(WeightsError) as caught:
            load_torch_checkpoint(path)
        assert caught.value.code == "pickle_refused"
    assert not proof.exists()


def test_a_checkpoint_that_is_cut_short_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save({"a": torch.ones(1000)}, path)
    content = path.read_bytes()

    for cut in (content[:-200], content[:50], b""):
        path.write_bytes(cut)
        with pytest.raises(WeightsError) as caught:
            load_torch_checkpoint(path)
        assert caught.value.code in {"checkpoint_invalid", "pickle_refused"}


def test_an_array_file_must_be_as_long_as_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6, dtype=np.float32).reshape(2, 3))
    good = path.read_bytes()
    assert load_npy(path).tolist() == [[0, 1, 2], [3, 4, 5]]

    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    archive = io.BytesIO()
    np.savez(archive, a=np.ones(2))
    for bad in (good[:-1], good + b"x", objects.getvalue(), archive.getvalue(), pickle.dumps([1]), b""):
        path.write_bytes(bad)
        with pytest.raises(WeightsError) as caught:
            load_npy(path)
        assert caught.value.code == "npy_invalid"


def test_a_graph_runs_only_when_it_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    path.write_bytes(b"a graph")

    check_onnx(path, sha256=hashlib.sha256(b"a graph").hexdigest())
    for theirs in (None, "0" * 64):
        with pytest.raises(WeightsError) as caught:
            check_onnx(path, sha256=theirs)
        assert caught.value.code == "onnx_refused"
