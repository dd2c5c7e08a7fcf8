from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from studio.segmentation import torchvision_names as names


def _boxes(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    corners = torch.rand(count, 2, generator=generator) * 60
    sides = torch.rand(count, 2, generator=generator) * 40 + 1
    # Few distinct scores, so that ties occur.
    scores = (torch.rand(count, generator=generator) * 20).round() / 20
    return torch.cat([corners, corners + sides], dim=1), scores


def _reference_nms(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> list[int]:
    """The textbook loop, box by box and in plain numbers."""
    order = sorted(range(len(boxes)), key=lambda i: -float(scores[i]))
    kept: list[int] = []
    for i in order:
        x0, y0, x1, y1 = boxes[i].tolist()
        for j in kept:
            u0, v0, u1, v1 = boxes[j].tolist()
            shared = max(0.0, min(x1, u1) - max(x0, u0)) * max(0.0, min(y1, v1) - max(y0, v0))
            if shared / ((x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared) > threshold:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.77])
def test_nms_keeps_what_the_textbook_loop_keeps_best_first(threshold: float) -> None:
    boxes, scores = _boxes(150)
    kept = names.nms(boxes, scores, threshold).tolist()
    assert kept == _reference_nms(boxes, scores, threshold)
    assert 0 < len(kept) < 150


def test_boxes_of_different_groups_never_suppress_one_another() -> None:
    boxes, scores = _boxes(80)
    groups = torch.arange(80) % 3
    expected = [i for g in range(3) for i in (groups == g).nonzero()[:, 0][_group(boxes, scores, groups == g)].tolist()]
    kept = names.batched_nms(boxes, scores, groups, 0.3).tolist()
    assert sorted(kept) == sorted(expected)
    assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
    assert len(kept) > len(names.nms(boxes, scores, 0.3))


def _group(boxes: torch.Tensor, scores: torch.Tensor, members: torch.Tensor) -> list[int]:
    return _reference_nms(boxes[members], scores[members], 0.3)


def test_no_boxes_give_no_boxes() -> None:
    none = torch.zeros(0, 4)
    assert names.batched_nms(none, torch.zeros(0), torch.zeros(0), 0.5).shape == (0,)
    assert names.box_area(torch.tensor([[1.0, 2.0, 4.0, 8.0]])).tolist() == [18.0]


def test_shrinking_is_antialiased_and_takes_height_before_width() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = names.resize(names.to_pil_image(stripes), (32, 8))
    assert small.size == (8, 32)
    # Sampling without antialiasing would give 0 or 255 here.
    assert np.abs(np.asarray(small)[:, 2:6].astype(int) - 127).max() <= 8


def test_arrays_become_pictures_pixel_for_pixel() -> None:
    array = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    assert np.array_equal(np.asarray(names.to_pil_image(array)), array)
    assert names.to_pil_image(array[:, :, :1]).mode == "L"
    assert isinstance(names.to_pil_image(array), Image.Image)


def test_the_stand_in_is_gone_once_segment_anything_is_imported() -> None:
    script = (
        "import sys, importlib.util\n"
        "from studio.segmentation.torchvision_names import segment_anything\n"
        "package = segment_anything()\n"
        "left = [m for m in sys.modules if m.split('.')[0] == 'torchvision']\n"
        "absent = importlib.util.find_spec('torchvision') is None\n"
        "print(package.__name__, callable(package.SamAutomaticMaskGenerator), left if absent else [])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "segment_anything True []"
