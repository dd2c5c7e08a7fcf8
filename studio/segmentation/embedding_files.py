"""Embeddings in and out of files: ``.npy``, float16, (1, 256, 64, 64); nothing else is read. No torch."""

from __future__ import annotations

import ast
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import InputError

SHAPE = (1, 256, 64, 64)
TYPES = ("<f2", "<f4")
MAGIC = b"\x93NUMPY\x01\x00"
# A header of ours is 118 bytes; what is longer is not parsed.
LONGEST_HEADER = 1024
MOST_BYTES = int(np.prod(SHAPE)) * 4 + LONGEST_HEADER


def encode_embedding(embedding: NDArray[np.floating[Any]]) -> bytes:
    """The bytes of a ``.npy`` of float16.

    Raises:
        InputError: ``embedding_invalid``: another shape, or values that float16 can not hold.
    """
    if embedding.shape != SHAPE:
        raise _invalid(f"its shape is {embedding.shape}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused
        half = np.ascontiguousarray(embedding, np.float32).astype("<f2")
    _check_finite(half)
    buffer = io.BytesIO()
    np.save(buffer, half, allow_pickle=False)
    return buffer.getvalue()


def decode_embedding(data: bytes) -> NDArray[np.float32]:
    """(1, 256, 64, 64) float32 out of a ``.npy``.

    The header is checked against the length of the bytes before numpy allocates anything.

    Raises:
        InputError: ``embedding_invalid``.
    """
    if len(data) > MOST_BYTES:
        raise _invalid(f"it holds {len(data):,} bytes")
    start, header = _header(data)
    dtype = np.dtype(header["descr"]) if header.get("descr") in TYPES else None
    if dtype is None or header.get("fortran_order") is not False or header.get("shape") != SHAPE:
        raise _invalid("it holds another type or shape")
    if len(data) - start != int(np.prod(SHAPE)) * dtype.itemsize:
        raise _invalid("it is cut off, or something follows it")
    values: NDArray[np.float32] = np.frombuffer(data, dtype, offset=start).reshape(SHAPE).astype(np.float32)
    _check_finite(values)
    return values


def _header(data: bytes) -> tuple[int, dict[str, Any]]:
    """Where the values begin, and the header (NEP 1, format 1.0: magic, version, length, a dict of Python's)."""
    length = int.from_bytes(data[8:10], "little")
    if data[:8] != MAGIC or length > LONGEST_HEADER:
        raise _invalid("it is no .npy file")
    try:
        header = ast.literal_eval(data[10 : 10 + length].decode("ascii"))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise _invalid("it is no .npy file") from error
    if not isinstance(header, dict):
        raise _invalid("it is no .npy file")
    return 10 + length, header


def _check_finite(values: NDArray[np.floating[Any]]) -> None:
    if not np.isfinite(values).all():
        raise _invalid("it holds NaN or infinite values")


def _invalid(why: str) -> InputError:
    return InputError("embedding_invalid", f"This is no embedding of a photo: {why}. Embed the photo again.")
