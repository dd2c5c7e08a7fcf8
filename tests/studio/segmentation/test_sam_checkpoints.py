from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from studio.errors import WeightsError
from studio.segmentation import sam_weights
from studio.segmentation.sam import Sam
from studio.segmentation.torchvision_names import segment_anything


def _published(name: str) -> dict[str, torch.Tensor]:
    """Names and shapes as segment_anything's own builder makes them, without storage."""
    with torch.device("meta"):
        state: dict[str, torch.Tensor] = segment_anything().sam_model_registry[name]().state_dict()
    return state


def test_a_full_vit_b_checkpoint_loads_embeds_and_predicts_as_segment_anything_does(tmp_path: Path) -> None:
    torch.manual_seed(1)
    original = segment_anything().sam_model_registry["vit_b"]()
    torch.save(original.state_dict(), tmp_path / "sam_vit_b.pth")
    sam = Sam.load(tmp_path / "sam_vit_b.pth", architecture="vit_b")
    photo = Image.fromarray(skimage.data.astronaut())
    embedding = sam.embed(photo)
    assert (embedding.shape, embedding.dtype) == ((1, 256, 64, 64), np.float32)
    predictor = segment_anything().SamPredictor(original)
    predictor.original_size, predictor.input_size = (512, 512), (1024, 1024)
    predictor.features, predictor.is_image_set = torch.from_numpy(embedding), True
    masks, scores, low_res = predictor.predict(np.array([[240.0, 400.0]]), np.array([1]))
    answer = sam.predict(embedding, size=photo.size, points=[[240, 400]], labels=[1])
    np.testing.assert_array_equal(answer.masks, masks)
    np.testing.assert_array_equal(answer.scores, scores)
    np.testing.assert_array_equal(answer.low_res, low_res)


@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h"])
def test_each_published_architecture_is_taken_whole_without_allocating_it(name: str) -> None:
    state = _published(name)
    sam_weights.check_state(state, name, origin="checkpoint")
    model = sam_weights.assemble(state, name, origin="checkpoint")
    encoder: Any = model.image_encoder
    assert len(encoder.blocks) == {"vit_b": 12, "vit_l": 24, "vit_h": 32}[name]
    windows = [i for i, block in enumerate(encoder.blocks) if block.window_size == 0]
    assert windows == {"vit_b": [2, 5, 8, 11], "vit_l": [5, 11, 17, 23], "vit_h": [7, 15, 23, 31]}[name]
    assert {p.shape for p in model.parameters()} == {t.shape for n, t in state.items() if "gaussian" not in n}
    assert model.pixel_mean.flatten().tolist() == pytest.approx([123.675, 116.28, 103.53])


def test_another_architectures_checkpoint_is_named_for_what_it_is() -> None:
    with pytest.raises(WeightsError, match="holds SAM vit_h, not vit_b") as caught:
        sam_weights.check_state(_published("vit_h"), "vit_b", origin="file.pth")
    assert caught.value.code == "weights_mismatch"


def test_a_checkpoint_of_something_else_says_what_differs(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="1 unknown.*weights fetch sam_vit_l") as caught:
        Sam.load(tmp_path / "other.pth", architecture="vit_l")
    assert caught.value.code == "weights_mismatch"


def test_a_missing_checkpoint_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="python -m studio weights fetch sam_vit_b") as caught:
        Sam.load(tmp_path / "none.pth", architecture="vit_b")
    assert caught.value.code == "weights_missing"


class _Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    torch.save({"image_encoder.pos_embed": _Bomb(ran)}, tmp_path / "bomb.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(_Bomb(ran)))
    for name in ("bomb.pth", "plain.pth"):
        with pytest.raises(WeightsError) as caught:
            Sam.load(tmp_path / name, architecture="vit_b")
        assert caught.value.code == "pickle_refused"
    assert not ran.exists()


def test_a_truncated_checkpoint_is_damaged(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1000)}, tmp_path / "whole.pth")
    (tmp_path / "half.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:2000])
    with pytest.raises(WeightsError) as caught:
        Sam.load(tmp_path / "half.pth", architecture="vit_b")
    assert caught.value.code == "checkpoint_invalid"


def test_truncated_safetensors_are_damaged(tmp_path: Path) -> None:
    (tmp_path / "half.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(WeightsError) as caught:
        Sam.load(tmp_path / "half.safetensors", architecture="vit_b")
    assert caught.value.code == "safetensors_invalid"


def test_an_unknown_architecture_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="vit_b, vit_l, vit_h") as caught:
        Sam.load(tmp_path / "any.pth", architecture="vit_x")  # type: ignore[arg-type]  # that is the point
    assert caught.value.code == "architecture_unknown"
