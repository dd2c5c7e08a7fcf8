"""SAM's decoder and light encoders as ONNX, for the browser and for a server without torch.

The decoder's contract is that of ``segment_anything.utils.onnx``, less its ``masks`` output: the tracer bakes the
example's aspect ratio into it, so the low-resolution logits are all that leaves. docs/segmentation.md has the table.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from studio.files import write_atomically

OPSET = 17
LONGEST_SIDE = 1024.0
EMBEDDING, LOW_RES = (1, 256, 64, 64), (1, 1, 256, 256)
# Points of the example that is traced; their number stays free.
POINTS = 3
# Below so many values a tensor is not worth a node of its own.
SMALL = 1024


class _Decoder(torch.nn.Module):
    """Prompt encoder and mask decoder as one graph: a padding point where there is no box comes from the caller."""

    def __init__(self, prompt_encoder: Any, mask_decoder: Any) -> None:
        super().__init__()
        self.prompt_encoder, self.mask_decoder = prompt_encoder, mask_decoder

    def forward(
        self,
        image_embeddings: torch.Tensor,
        point_coords: torch.Tensor,
        point_labels: torch.Tensor,
        mask_input: torch.Tensor,
        has_mask_input: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        low_res, scores = self.mask_decoder.predict_masks(
            image_embeddings=image_embeddings,
            image_pe=self.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=self._points(point_coords, point_labels),
            dense_prompt_embeddings=self._mask(mask_input, has_mask_input),
        )
        return low_res, scores

    def _points(self, coords: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """As ``PromptEncoder._embed_points``, with sums in the place of indexed assignments, which trace badly."""
        encoder = self.prompt_encoder
        places = encoder.pe_layer._pe_encoding((coords + 0.5) / LONGEST_SIDE)
        kinds = labels.unsqueeze(-1).expand_as(places)
        found = places * (kinds != -1) + encoder.not_a_point_embed.weight * (kinds == -1)
        for kind, embedding in enumerate(encoder.point_embeddings):
            found = found + embedding.weight * (kinds == kind)
        return torch.as_tensor(found)

    def _mask(self, mask: torch.Tensor, has_mask: torch.Tensor) -> torch.Tensor:
        none = self.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return torch.as_tensor(has_mask * self.prompt_encoder.mask_downscaling(mask) + (1 - has_mask) * none)


def export_decoder(
    prompt_encoder: torch.nn.Module, mask_decoder: torch.nn.Module, path: str | os.PathLike[str], *, quantize: bool
) -> str:
    """Write a SAM decoder as ONNX.

    All of it is float32. In: ``image_embeddings`` (1, 256, 64, 64), ``point_coords`` (1, n, 2) in pixels of the photo
    scaled to a longest side of 1024, ``point_labels`` (1, n): 1 adds, 0 removes, 2 and 3 are a box's corners, -1 pads;
    ``mask_input`` (1, 1, 256, 256), ``has_mask_input`` (1,). Out: ``low_res_masks`` (1, 4, 256, 256), logits, and
    ``iou_predictions`` (1, 4).

    Args:
        prompt_encoder, mask_decoder: ``segment_anything``'s, on the CPU.
        path: written whole or not at all.
        quantize: weights of linear layers as uint8 (dynamic quantization): a third of the size.

    Returns:
        The file's SHA-256; the same weights give the same file.
    """
    example = {
        "image_embeddings": torch.zeros(EMBEDDING),
        "point_coords": torch.full((1, POINTS, 2), LONGEST_SIDE / 2),
        "point_labels": torch.tensor([[1.0, 0.0, -1.0]]),
        "mask_input": torch.zeros(LOW_RES),
        "has_mask_input": torch.ones(1),
    }
    free = {"point_coords": {1: "points"}, "point_labels": {1: "points"}}
    decoder = _Decoder(prompt_encoder, mask_decoder)
    with _workplace() as aside:
        _trace(decoder, example, aside, outputs=("low_res_masks", "iou_predictions"), free=free)
        return _publish(_quantized(aside) if quantize else aside, Path(path))


def export_encoder(module: torch.nn.Module, path: str | os.PathLike[str], *, size: int, half: bool = False) -> str:
    """Write an image encoder as ONNX: ``image`` (1, 3, size, size) RGB 0..255 in, ``image_embeddings`` out.

    Args:
        module: on the CPU.
        path: written whole or not at all.
        size: in pixels.
        half: weights are stored as float16 and widened when they are loaded: half the size, the same speed.

    Returns:
        The file's SHA-256; the same weights give the same file.
    """
    example = {"image": torch.zeros(1, 3, size, size)}
    with _workplace() as aside:
        _trace(module, example, aside, outputs=("image_embeddings",), free={})
        return _publish(_halved(aside) if half else aside, Path(path))


def _trace(
    module: torch.nn.Module,
    example: Mapping[str, torch.Tensor],
    path: Path,
    *,
    outputs: Sequence[str],
    free: Mapping[str, Mapping[int, str]],
) -> None:
    """The older exporter: what it writes runs in onnxruntime-web, and it knows no symbolic shapes to get wrong."""
    trained = module.training
    module.eval()
    try:
        with torch.no_grad(), _quiet():
            torch.onnx.export(
                module, tuple(example.values()), str(path), input_names=list(example), output_names=list(outputs),
                dynamic_axes={name: dict(axes) for name, axes in free.items()}, opset_version=OPSET, dynamo=False,
                do_constant_folding=True,
            )  # fmt: skip
    finally:
        module.train(trained)


def _quantized(path: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    smaller = path.with_name("quantized.onnx")
    with _quiet():
        quantize_dynamic(str(path), str(smaller), weight_type=QuantType.QUInt8, per_channel=False, reduce_range=False)
    return smaller


def _halved(path: Path) -> Path:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    widened = []
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if weights.data_type == TensorProto.FLOAT and values.size >= SMALL:
            name = weights.name
            weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            widened.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for place, node in enumerate(widened):
        model.graph.node.insert(place, node)
    smaller = path.with_name("halved.onnx")
    onnx.save(model, str(smaller))
    return smaller


def _publish(made: Path, path: Path) -> str:
    data = made.read_bytes()
    write_atomically(path, data)
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _workplace() -> Iterator[Path]:
    """A file in a folder of its own; the tracer keeps to one name."""
    with tempfile.TemporaryDirectory(prefix="imodel-onnx-") as folder:
        yield Path(folder, "traced.onnx")


@contextmanager
def _quiet() -> Iterator[None]:
    """The tracer warns of every size it takes as fixed (here they are), the quantizer advises on its root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
