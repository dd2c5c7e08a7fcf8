"""What cutting out costs a server: embedding, decoding, and the bytes that are kept (docs/segmentation.md).

    .venv/bin/python -m bench.segmentation_server [--photo photo.jpg] [--rounds 5]

Seconds are the best of the rounds, on one thread where it says so. ViT-B's decoder is exported from random weights: its
size and speed do not depend on what was learnt.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import numpy as np
import skimage.data
from PIL import Image

from studio.segmentation.bundled import DECODER, ENCODER, bundled
from studio.segmentation.embedding_files import encode_embedding
from studio.segmentation.onnx_decode import OnnxDecoder, Prompt
from studio.segmentation.onnx_encode import OnnxEncoder


def best(rounds: int, call: Callable[[], Any]) -> float:
    """Seconds of the fastest call."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def row(what: str, value: str) -> None:
    """A line of the table."""
    print(f"| {what:<52} | {value:>14} |")


def embedding_rows(photo: Image.Image, rounds: int) -> np.ndarray:
    """The bundled encoder, and what its answer takes when it is kept."""
    data = bundled().read(ENCODER)
    for threads in (1, 2):
        encoder = OnnxEncoder(data, threads=threads)
        row(
            f"embed {photo.width}x{photo.height}, bundled, {threads} thread(s), s",
            f"{best(rounds, lambda e=encoder: e.embed(photo)):.3f}",
        )
    embedding = encoder.embed(photo)
    npy = encode_embedding(embedding)
    row("float16 .npy, bytes", f"{len(npy):,}")
    for level in (1, 6):
        seconds = best(rounds, lambda level=level: gzip.compress(npy, level))
        row(f"gzip {level}, bytes (s)", f"{len(gzip.compress(npy, level)):,} ({seconds:.2f})")
    for quality in (4, 5, 9):
        seconds = best(1, lambda quality=quality: brotli.compress(npy, quality=quality))
        row(f"brotli {quality}, bytes (s)", f"{len(brotli.compress(npy, quality=quality)):,} ({seconds:.2f})")
    return embedding


def decoder_rows(name: str, data: bytes, embedding: np.ndarray, rounds: int) -> None:
    """A click on one thread, as the web process does it."""
    decoder, click = OnnxDecoder(data), Prompt([(100.0, 120.0)], [1])
    decoder.answer(embedding, click, size=(512, 512))
    seconds = best(rounds, lambda: decoder.answer(embedding, click, size=(512, 512)))
    row(f"decode, {name}, 1 thread, ms", f"{1000 * seconds:.0f}")
    row(f"decoder, {name}, bytes", f"{len(data):,}")


def vit_b(quantize: bool) -> bytes:
    """The decoder that SAM's three sizes have."""
    from studio.segmentation import sam_weights
    from studio.segmentation.onnx_export import export_decoder

    model = sam_weights.build(sam_weights.Architecture(width=32, depth=1, heads=2, global_attention=(0,)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "decoder.onnx")
        export_decoder(model.prompt_encoder, model.mask_decoder, path, quantize=quantize)
        return path.read_bytes()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    photo = Image.open(given.photo).convert("RGB") if given.photo else Image.fromarray(skimage.data.astronaut())
    embedding = embedding_rows(photo, given.rounds)
    decoder_rows("bundled uint8", bundled().read(DECODER), embedding, given.rounds)
    decoder_rows("ViT-B float32", vit_b(quantize=False), embedding, given.rounds)
    decoder_rows("ViT-B uint8", vit_b(quantize=True), embedding, given.rounds)


if __name__ == "__main__":
    main()
