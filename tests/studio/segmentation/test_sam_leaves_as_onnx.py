from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from studio.errors import StorageError
from studio.segmentation import sam_weights
from studio.segmentation.onnx_export import export_decoder, export_encoder
from studio.segmentation.small_encoder import SmallEncoder

TINY = sam_weights.Architecture(width=32, depth=2, heads=2, global_attention=(1,))
# Points with their labels, and whether an earlier answer is refined: a click, a box with a click, several clicks.
PROMPTS: dict[str, tuple[list[list[float]], list[float], bool]] = {
    "click": ([[300.0, 420.5], [0.0, 0.0]], [1, -1], False),
    "box": ([[500.0, 500.0], [120.0, 80.0], [900.0, 700.25]], [1, 2, 3], False),
    "refined": ([[300.0, 420.5], [12.0, 900.0], [640.0, 333.0], [5.0, 5.0], [0.0, 0.0]], [1, 0, 1, 0, -1], True),
}


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(5)
    return sam_weights.build(TINY)


@pytest.fixture(scope="module")
def exported(model: Any, tmp_path_factory: Any) -> dict[bool, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    paths = {quantize: folder / f"{quantize}.onnx" for quantize in (False, True)}
    for quantize, path in paths.items():
        export_decoder(model.prompt_encoder, model.mask_decoder, path, quantize=quantize)
    return paths


def _feed(kind: str) -> dict[str, np.ndarray]:
    points, labels, refined = PROMPTS[kind]
    random = np.random.default_rng(7)
    return {
        "image_embeddings": random.normal(0, 0.3, (1, 256, 64, 64)).astype(np.float32),
        "point_coords": np.array([points], np.float32),
        "point_labels": np.array([labels], np.float32),
        "mask_input": random.normal(0, 4, (1, 1, 256, 256)).astype(np.float32),
        "has_mask_input": np.array([refined], np.float32),
    }


def _by_torch(model: Any, feed: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Through ``segment_anything``'s own prompt encoder, which pads by itself where there is no box."""
    tensors = {name: torch.from_numpy(values) for name, values in feed.items()}
    coords, labels = tensors["point_coords"], tensors["point_labels"]
    clicks = (labels[0] == 0) | (labels[0] == 1)
    boxes = coords[:, labels[0] >= 2].reshape(1, 4) if (labels[0] >= 2).any() else None
    masks = tensors["mask_input"] if feed["has_mask_input"][0] else None
    with torch.no_grad():
        sparse, dense = model.prompt_encoder((coords[:, clicks], labels[:, clicks]), boxes, masks)
        low_res, scores = model.mask_decoder.predict_masks(
            tensors["image_embeddings"], model.prompt_encoder.get_dense_pe(), sparse, dense
        )
    return low_res.numpy(), scores.numpy()


@pytest.mark.parametrize("kind", PROMPTS)
def test_the_decoder_answers_as_torch_does_for_any_number_of_points(model: Any, exported: Any, kind: str) -> None:
    low_res, scores = onnxruntime.InferenceSession(exported[False]).run(None, _feed(kind))
    wanted, wanted_scores = _by_torch(model, _feed(kind))
    assert low_res.shape == (1, 4, 256, 256) and scores.shape == (1, 4)
    np.testing.assert_allclose(low_res, wanted, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_allclose(scores, wanted_scores, atol=1e-5)


@pytest.mark.parametrize("kind", PROMPTS)
def test_weights_of_eight_bits_draw_nearly_the_same_outlines(model: Any, exported: Any, kind: str) -> None:
    low_res, _ = onnxruntime.InferenceSession(exported[True]).run(None, _feed(kind))
    got, wanted = low_res > 0, _by_torch(model, _feed(kind))[0] > 0
    for plane in range(4):
        both, either = (got & wanted)[0, plane].sum(), (got | wanted)[0, plane].sum()
        assert both > 0.94 * either, plane


def test_eight_bits_take_a_third_of_the_room(exported: Any) -> None:
    sizes = {quantize: path.stat().st_size for quantize, path in exported.items()}
    assert sizes[True] < sizes[False] / 3 < 6_000_000


def test_the_same_weights_give_the_same_file_and_others_another(model: Any, tmp_path: Path) -> None:
    def export(one: Any) -> str:
        return export_decoder(one.prompt_encoder, one.mask_decoder, tmp_path / "decoder.onnx", quantize=True)

    torch.manual_seed(6)
    assert export(model) == export(model) != export(sam_weights.build(TINY))
    assert [path.name for path in tmp_path.iterdir()] == ["decoder.onnx"]


def test_an_encoder_leaves_whole_or_with_weights_of_half_the_size(tmp_path: Path) -> None:
    torch.manual_seed(2)
    encoder, image = SmallEncoder().eval(), np.random.default_rng(3).uniform(0, 255, (1, 3, 512, 512))
    feed = {"image": image.astype(np.float32)}
    with torch.no_grad():
        wanted = encoder(torch.from_numpy(feed["image"])).numpy()
    sizes = []
    for half, error in ((False, 1e-4), (True, 2e-3)):
        path = tmp_path / "encoder.onnx"
        export_encoder(encoder, path, size=512, half=half)
        (embedding,) = onnxruntime.InferenceSession(path).run(["image_embeddings"], feed)
        np.testing.assert_allclose(embedding, wanted, atol=error * np.abs(wanted).max())
        sizes.append(path.stat().st_size)
    assert sizes[1] < 0.51 * sizes[0]


def test_a_module_that_was_being_trained_goes_on_being_trained(tmp_path: Path) -> None:
    encoder = SmallEncoder().train()
    export_encoder(encoder, tmp_path / "encoder.onnx", size=64)
    assert encoder.training


def test_a_folder_that_is_not_there_is_said(model: Any, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        export_decoder(model.prompt_encoder, model.mask_decoder, tmp_path / "no" / "decoder.onnx", quantize=False)
    assert refused.value.code == "folder_missing"
