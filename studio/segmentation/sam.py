"""Segment Anything: an embedding per photo, then masks per click.

Plain arrays outside, tensors inside. The embedding is worth keeping: it costs seconds (13-22 s for ViT-B on two CPU
cores), a click costs milliseconds. Source: Kirillov et al. 2023, https://arxiv.org/abs/2304.02643; the arithmetic is
``segment_anything``'s own.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from studio.errors import InputError, StudioError
from studio.segmentation import sam_weights
from studio.segmentation.torchvision_names import segment_anything

ArchitectureName = Literal["vit_b", "vit_l", "vit_h"]
EMBEDDING_SHAPE = (1, 256, 64, 64)
LOW_RES = 256


@dataclass(frozen=True)
class SamMasks:
    """What SAM answers to one prompt.

    Attributes:
        masks: (n, H, W) bool at the photo's own size.
        scores: (n,) float32, the model's own estimate of each mask's intersection over union with the object.
        low_res: (n, 256, 256) float32 logits over the padded 1024-pixel square, to be fed back as ``mask_input``.
    """

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]
    low_res: NDArray[np.float32]

    def best(self) -> NDArray[np.bool_]:
        """(H, W) bool: the mask with the highest score."""
        return np.asarray(self.masks[int(np.argmax(self.scores))])


class Sam:
    """A loaded model. It keeps no state between calls, so one may serve any number of photos."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._model: Any = model.eval()
        self._scale = segment_anything().SamPredictor(model).transform

    @classmethod
    def load(cls, path: Path | str, *, architecture: ArchitectureName, device: str = "cpu") -> Sam:
        """Load a checkpoint; see :func:`studio.segmentation.sam_weights.load` for what it raises."""
        return cls(sam_weights.load(Path(path), architecture).to(device))

    def embed(self, image: Image.Image) -> NDArray[np.float32]:
        """(1, 256, 64, 64) float32: the photo as SAM sees it, its longest side scaled to 1024 pixels."""
        pixels = self._scale.apply_image(np.asarray(image.convert("RGB")))
        batch = torch.as_tensor(pixels, device=self._model.device).permute(2, 0, 1).contiguous()[None]
        with torch.inference_mode():
            embedding: NDArray[np.float32] = self._model.image_encoder(self._model.preprocess(batch)).cpu().numpy()
        return embedding

    def predict(
        self,
        embedding: NDArray[np.floating[Any]],
        *,
        size: tuple[int, int],
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask_input: NDArray[np.floating[Any]] | None = None,
        multimask: bool = True,
    ) -> SamMasks:
        """Masks for clicks, boxes and an earlier answer.

        Args:
            embedding: (1, 256, 64, 64) from :meth:`embed`, float32, or float16 if it was stored so.
            size: (width, height) in pixels of the photo the embedding was made of.
            points: (k, 2) x, y in pixels of that photo.
            labels: (k,) 1 adds, 0 removes.
            boxes: (4,) or (b, 4) x0, y0, x1, y1 in pixels. Several boxes are several objects: the answer holds the
                masks of the first box, then those of the second; points and ``mask_input`` go with each.
            mask_input: (256, 256) or (1, 256, 256) logits, one of an earlier answer's ``low_res``.
            multimask: three masks for each object (part, whole, more) rather than one.

        Raises:
            InputError: ``prompt_missing``, ``embedding_invalid``, ``points_invalid``, ``labels_invalid``,
                ``boxes_invalid`` or ``mask_input_invalid``.
        """
        if points is None and boxes is None and mask_input is None:
            raise InputError("prompt_missing", "Nothing says what to cut out: give a point, a box or a mask.")
        prompts = self._prompts(size, points, labels, boxes, mask_input)
        features = torch.as_tensor(_check_embedding(embedding), device=self._model.device)
        with torch.inference_mode():
            return self._decode(features, prompts, size, multimask)

    def export_decoder(self, path: Path) -> str:
        """Write its decoder as ONNX, eight bits a weight; the file's SHA-256 (onnx_export.export_decoder)."""
        from studio.segmentation.onnx_export import export_decoder

        decoder = copy.deepcopy(self._model.mask_decoder).cpu()
        return export_decoder(copy.deepcopy(self._model.prompt_encoder).cpu(), decoder, path, quantize=True)

    def _prompts(
        self,
        size: tuple[int, int],
        points: ArrayLike | None,
        labels: ArrayLike | None,
        boxes: ArrayLike | None,
        mask_input: NDArray[np.floating[Any]] | None,
    ) -> dict[str, Any]:
        original = (size[1], size[0])
        rows = None if boxes is None else _check_boxes(boxes, size)
        objects = 1 if rows is None else len(rows)
        prompts: dict[str, Any] = {"points": None, "boxes": None, "masks": None}
        if points is not None:
            clicks = self._scale.apply_coords(_check_points(points, size), original)
            marks = _check_labels(labels, len(clicks))
            prompts["points"] = (self._repeat(clicks, objects, torch.float), self._repeat(marks, objects, torch.int))
        elif labels is not None:
            raise InputError("labels_invalid", "Labels were given without points.")
        if rows is not None:
            prompts["boxes"] = self._tensor(self._scale.apply_boxes(rows, original), torch.float)
        if mask_input is not None:
            prompts["masks"] = self._repeat(_check_logits(mask_input), objects, torch.float)
        return prompts

    def _decode(
        self, features: torch.Tensor, prompts: dict[str, Any], size: tuple[int, int], multimask: bool
    ) -> SamMasks:
        model = self._model
        sparse, dense = model.prompt_encoder(**prompts)
        low_res, scores = model.mask_decoder(
            image_embeddings=features,
            image_pe=model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
        )
        original = (size[1], size[0])
        scaled = self._scale.get_preprocess_shape(*original, self._scale.target_length)
        masks = model.postprocess_masks(low_res, scaled, original) > model.mask_threshold
        return SamMasks(
            masks=masks.flatten(0, 1).cpu().numpy(),
            scores=scores.flatten().cpu().numpy(),
            low_res=low_res.flatten(0, 1).cpu().numpy(),
        )

    def _tensor(self, values: NDArray[np.generic], dtype: torch.dtype) -> torch.Tensor:
        return torch.as_tensor(values, dtype=dtype, device=self._model.device)

    def _repeat(self, values: NDArray[np.generic], times: int, dtype: torch.dtype) -> torch.Tensor:
        return self._tensor(values, dtype)[None].repeat(times, *[1] * values.ndim)


def _check_embedding(embedding: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    if embedding.shape != EMBEDDING_SHAPE or embedding.dtype not in (np.float16, np.float32):
        raise InputError(
            "embedding_invalid",
            f"An embedding is float16 or float32 of shape {EMBEDDING_SHAPE}; this one is {embedding.dtype} of "
            f"shape {embedding.shape}.",
        )
    if not np.isfinite(embedding).all():
        raise InputError("embedding_invalid", "The embedding holds NaN or infinite values: embed the photo again.")
    return embedding.astype(np.float32, copy=False)


def _check_points(points: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    rows = _numbers(points, "points_invalid")
    if rows.ndim != 2 or rows.shape[1] != 2 or len(rows) == 0:
        raise InputError("points_invalid", f"Points have shape (k, 2), x and y; these have {rows.shape}.")
    _check_inside(rows, size, "points_invalid")
    return rows


def _check_boxes(boxes: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    rows = np.atleast_2d(_numbers(boxes, "boxes_invalid"))
    if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) == 0:
        raise InputError("boxes_invalid", f"Boxes have shape (4,) or (b, 4); these have {rows.shape}.")
    _check_inside(rows.reshape(-1, 2), size, "boxes_invalid")
    if (rows[:, 2:] <= rows[:, :2]).any():
        raise InputError("boxes_invalid", "A box is x0, y0, x1, y1 with x0 < x1 and y0 < y1.")
    return rows


def _check_inside(rows: NDArray[np.float64], size: tuple[int, int], code: str) -> None:
    if not np.isfinite(rows).all():
        raise InputError(code, "A coordinate is not a number.")
    outside = ((rows < 0) | (rows > np.asarray(size, np.float64))).any(axis=1)
    if outside.any():
        x, y = rows[int(np.argmax(outside))]
        raise InputError(code, f"({x:g}, {y:g}) lies outside of the {size[0]}x{size[1]} photo.")


def _check_labels(labels: ArrayLike | None, count: int) -> NDArray[np.float64]:
    marks = np.ones(count) if labels is None else _numbers(labels, "labels_invalid")
    if marks.shape != (count,) or not np.isin(marks, (0, 1)).all():
        raise InputError("labels_invalid", "Give one label for each point: 1 adds, 0 removes.")
    return marks


def _check_logits(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    plane = _numbers(logits, "mask_input_invalid")
    if plane.shape not in ((LOW_RES, LOW_RES), (1, LOW_RES, LOW_RES)) or not np.isfinite(plane).all():
        raise InputError(
            "mask_input_invalid",
            f"A mask to refine is one plane of finite logits, {LOW_RES}x{LOW_RES}, taken from an earlier low_res.",
        )
    return plane.reshape(1, LOW_RES, LOW_RES)


def _numbers(values: ArrayLike, code: str) -> NDArray[np.float64]:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise _not_numbers(code) from error


def _not_numbers(code: str) -> StudioError:
    return InputError(code, "These are not numbers in rows of one length.")
