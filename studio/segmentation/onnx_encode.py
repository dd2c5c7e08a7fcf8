"""A photo's embedding by a light encoder in ONNX, without torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.segmentation.bundled import SIDE
from studio.segmentation.onnx_session import open_session


class OnnxEncoder:
    """A loaded encoder. It keeps no state between calls."""

    def __init__(self, data: bytes, *, threads: int = 1) -> None:
        """``data``: of a file whose hash was checked."""
        self._session = open_session(data, threads=threads)

    def embed(self, image: Image.Image) -> NDArray[np.float32]:
        """(1, 256, 64, 64) float32: the photo as the decoder's square of 1024 pixels has it."""
        embedding: NDArray[np.float32]
        (embedding,) = self._session.run(["image_embeddings"], {"image": squared(image)})
        return embedding


def squared(image: Image.Image, side: int = SIDE) -> NDArray[np.float32]:
    """(1, 3, side, side) float32, RGB 0..255: the longest side scaled to ``side``, at the top left, the rest black.

    Scaling down averages (Pillow's filters widen with the factor), as a browser's canvas does.
    """
    scale = side / max(image.size)
    size = (max(1, int(image.width * scale + 0.5)), max(1, int(image.height * scale + 0.5)))
    pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR), np.float32)
    square = np.zeros((1, 3, side, side), np.float32)
    square[0, :, : size[1], : size[0]] = pixels.transpose(2, 0, 1)
    return square
