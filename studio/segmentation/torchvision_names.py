"""The four names ``segment_anything`` 1.0 wants of torchvision, for machines where torchvision has no working build.

They answer as torchvision's do for what SAM passes in (8-bit PIL pictures, (height, width) sizes, float boxes). The
stand-in is in ``sys.modules`` only while ``segment_anything`` is imported: transformers and diffusers look for
torchvision too, and break on half of one.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

_IMPORTING = threading.Lock()


def segment_anything() -> ModuleType:
    """The ``segment_anything`` package, with torchvision where it works and the stand-in where it does not."""
    with _IMPORTING:
        if "segment_anything" in sys.modules:
            return sys.modules["segment_anything"]
        if _torchvision_works():
            return importlib.import_module("segment_anything")
        with _stand_in():
            return importlib.import_module("segment_anything")


def to_pil_image(array: NDArray[np.uint8]) -> Image.Image:
    """``torchvision.transforms.functional.to_pil_image`` for uint8 arrays of shape (H, W), (H, W, 1) or (H, W, 3)."""
    if array.dtype != np.uint8:
        raise TypeError(f"expected uint8, got {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(array))


def resize(picture: Image.Image, size: Sequence[int]) -> Image.Image:
    """``torchvision.transforms.functional.resize`` of a PIL picture to (height, width): bilinear, antialiased."""
    height, width = size
    return picture.resize((width, height), Image.Resampling.BILINEAR)


def box_area(boxes: torch.Tensor) -> torch.Tensor:
    """``torchvision.ops.boxes.box_area``: (N,) areas of (N, 4) boxes x0, y0, x1, y1."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Indices (int64) of the boxes kept by greedy non-maximum suppression, best score first, ties in their order."""
    waiting = torch.sort(scores, descending=True, stable=True).indices
    areas = box_area(boxes)
    kept = []
    while waiting.numel():
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        low = torch.maximum(boxes[waiting, :2], boxes[best, :2])
        high = torch.minimum(boxes[waiting, 2:], boxes[best, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        # A 0/0 of two empty boxes is NaN and suppresses nothing, as in torchvision.
        waiting = waiting[~(shared / (areas[waiting] + areas[best] - shared) > iou_threshold)]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, idxs: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """``torchvision.ops.boxes.batched_nms``: boxes of different ``idxs`` never suppress one another."""
    kept = torch.zeros_like(scores, dtype=torch.bool)
    for group in torch.unique(idxs):
        members = torch.where(idxs == group)[0]
        kept[members[nms(boxes[members], scores[members], iou_threshold)]] = True
    survivors = torch.where(kept)[0]
    return survivors[torch.sort(scores[survivors], descending=True, stable=True).indices]


def _torchvision_works() -> bool:
    try:
        importlib.import_module("torchvision.transforms.functional")
        importlib.import_module("torchvision.ops.boxes")
    except (ImportError, RuntimeError):  # RuntimeError: built for another torch ("operator torchvision::nms ...")
        return False
    return True


@contextmanager
def _stand_in() -> Iterator[None]:
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torchvision"}
    for name in before:
        del sys.modules[name]
    modules = _modules()
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _modules() -> dict[str, ModuleType]:
    names = ("", ".transforms", ".transforms.functional", ".ops", ".ops.boxes")
    modules = {f"torchvision{name}": ModuleType(f"torchvision{name}") for name in names}
    modules["torchvision.transforms.functional"].__dict__.update(resize=resize, to_pil_image=to_pil_image)
    modules["torchvision.ops.boxes"].__dict__.update(batched_nms=batched_nms, box_area=box_area)
    return modules
