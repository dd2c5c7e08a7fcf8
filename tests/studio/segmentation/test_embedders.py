"""Whoever embeds photos: the bundled one, and SAM's sizes from weights that the operator brought."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import skimage.data
import torch
from PIL import Image

from studio.errors import InputError, WeightsError
from studio.segmentation import embedders, sam_weights
from studio.segmentation.bundled import bundled
from studio.segmentation.sam import Sam
from studio.weights.disk import file_hash
from studio.weights.store import RECORD

TINY = sam_weights.Architecture(width=32, depth=2, heads=2, global_attention=(1,))
PHOTO = Image.fromarray(skimage.data.astronaut()[:400])


@pytest.fixture
def sam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store that holds a small ``sam_vit_b``; the model in it."""
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(sam_weights, "ARCHITECTURES", {"vit_b": TINY})
    return _fill(tmp_path, seed=5)


def _fill(root: Path, *, seed: int) -> Any:
    torch.manual_seed(seed)
    model = sam_weights.build(TINY)
    home = root / "sam_vit_b"
    home.mkdir(exist_ok=True)
    torch.save(model.state_dict(), home / "model.pth")
    status = (home / "model.pth").stat()
    entry = {"size": status.st_size, "sha256": file_hash(home / "model.pth"), "mtime_ns": status.st_mtime_ns}
    (home / RECORD).write_text(json.dumps({"origin": "import", "files": {"model.pth": entry}}))
    return model


def test_the_bundled_one_is_named_after_its_encoder_and_brings_no_decoder() -> None:
    found = embedders.bring_up("sam_mini", device=None)
    assert found.encoder == f"sam_mini:{bundled().sha256['encoder.onnx'][:12]}" and found.decoder() is None
    assert found.embed(PHOTO).shape == (1, 256, 64, 64)


def test_a_sam_embeds_as_it_does_alone_and_is_named_after_its_checkpoint(sam: Any, tmp_path: Path) -> None:
    found = embedders.bring_up("sam_vit_b", device="cpu")
    assert found.encoder == f"sam_vit_b:{file_hash(tmp_path / 'sam_vit_b' / 'model.pth')[:12]}"
    np.testing.assert_array_equal(found.embed(PHOTO), Sam(sam).embed(PHOTO))


def test_its_decoder_is_exported_once_beside_the_weights_and_answers_as_it_does(sam: Any, tmp_path: Path) -> None:
    found = embedders.bring_up("sam_vit_b", device="cpu")
    decoder = found.decoder()
    assert decoder is not None and decoder.path.parent == tmp_path / ".decoders"
    assert file_hash(decoder.path) == decoder.sha256
    wrote = decoder.path.stat().st_mtime_ns
    assert embedders.bring_up("sam_vit_b", device="cpu").decoder() == decoder
    assert decoder.path.stat().st_mtime_ns == wrote
    embedding = found.embed(PHOTO)
    size = np.array(PHOTO.size, np.float64)
    wanted = Sam(sam).predict(embedding, size=PHOTO.size, points=[[200, 300]], labels=[1])
    feed = {
        "image_embeddings": embedding,
        "point_coords": np.array([[[200 * 1024 / size.max(), 300 * 1024 / size.max()], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }
    low_res, _scores = onnxruntime.InferenceSession(decoder.path).run(None, feed)
    got, expected = low_res[0, 1:] > 0, wanted.low_res > 0
    assert (got & expected).sum() > 0.9 * (got | expected).sum()


@pytest.mark.parametrize("spoil", ["cut off", "no hash", "another hash"])
def test_a_decoder_that_is_not_what_was_recorded_is_exported_anew(sam: Any, tmp_path: Path, spoil: str) -> None:
    first = embedders.bring_up("sam_vit_b", device="cpu").decoder()
    assert first is not None
    said = first.path.with_suffix(".sha256")
    if spoil == "cut off":
        first.path.write_bytes(first.path.read_bytes()[:1000])
    elif spoil == "no hash":
        said.unlink()
    else:
        said.write_text("0" * 64)
    again = embedders.bring_up("sam_vit_b", device="cpu").decoder()
    assert again == first and file_hash(first.path) == first.sha256 == said.read_text().strip()


def test_other_weights_have_another_name_and_a_decoder_of_their_own(sam: Any, tmp_path: Path) -> None:
    first = embedders.bring_up("sam_vit_b", device="cpu")
    one = first.decoder()
    _fill(tmp_path, seed=6)
    second = embedders.bring_up("sam_vit_b", device="cpu")
    assert second.encoder != first.encoder and second.decoder() != one


def test_a_folder_that_can_not_be_written_to_is_no_reason_to_fail(sam: Any, tmp_path: Path) -> None:
    (tmp_path / ".decoders").write_text("in the way")
    found = embedders.bring_up("sam_vit_b", device="cpu").decoder()
    assert found is not None and file_hash(found.path) == found.sha256


def test_what_is_not_there_and_what_embeds_nothing_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError) as missing:
        embedders.bring_up("sam_vit_h", device=None)
    assert missing.value.code == "weights_missing"
    for family in ("mini", "mediapipe_selfie", "nothing"):
        with pytest.raises(InputError) as refused:
            embedders.bring_up(family, device=None)
        assert refused.value.code == "segmentation_unknown"
