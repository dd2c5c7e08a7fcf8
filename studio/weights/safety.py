"""Safetensors judged by content, never by name, before any library opens them.

The format: eight bytes of little-endian header length, a JSON header, then the tensors' bytes without gaps
(https://github.com/huggingface/safetensors#format). A file passes when the header is small and well formed, the
offsets are contiguous and cover the file, and every type, name and (where asked) value is allowed.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from studio.errors import WeightsError

ITEM_SIZE: Mapping[str, int] = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
_BLOCK = 8 << 20
# Exponent bits of the types that hold no other infinities or NaNs than those with every exponent bit set.
_EXPONENT = {"F16": 0x7C00, "BF16": 0x7F80}
_PICKLE_START = re.compile(rb"\x80[\x01-\x05]|[\]}]q.|\(dp?\d|\(lp?\d|ccopy_reg|c__builtin__|cbuiltins|cposix|cos\n")
_LOW_RANK = re.compile(r"(?:^|\.)(?:lora_A|lora_down|lora\.down|lora_B|lora_up|lora\.up)(?:\.|$)")
_LOW_RANK_IN = re.compile(r"(?:^|\.)(?:lora_A|lora_down|lora\.down)(?:\.|$)")


@dataclass(frozen=True)
class Limits:
    """What a safetensors file may hold.

    Attributes:
        file_bytes: largest file.
        header_bytes: largest JSON header.
        tensors: most tensors.
        dtypes: allowed element types, safetensors' names.
        names: pattern that every whole tensor name must match.
        rank: largest rank of a low-rank pair (LoRA), None to allow any.
    """

    file_bytes: int
    header_bytes: int
    tensors: int
    dtypes: frozenset[str]
    names: re.Pattern[str]
    rank: int | None


BASE_LIMITS = Limits(
    file_bytes=64 << 30,
    header_bytes=1 << 20,
    tensors=5000,
    dtypes=frozenset({"F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL"}),
    names=re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,255}"),
    rank=None,
)
ADAPTER_LIMITS = Limits(
    file_bytes=512 << 20,
    header_bytes=1 << 20,
    tensors=5000,
    dtypes=frozenset({"F32", "F16", "BF16"}),
    names=re.compile(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}\.(?:alpha|dora_scale|magnitude_vector"
        r"|(?:lora_A|lora_B|lora_down|lora_up|lora\.down|lora\.up)(?:\.default)?\.weight)"
    ),
    rank=128,
)


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a header: element type, shape, and where its bytes begin and end after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class SafetensorsReport:
    """What a file that passed holds: tensors by name, free-text metadata, where the data starts, size in bytes."""

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    data_start: int
    size: int


def check_safetensors(path: Path, limits: Limits = BASE_LIMITS, *, finite: bool) -> SafetensorsReport:
    """Read and judge the header of ``path``; with ``finite`` stream through all values too.

    Args:
        path: the file, whatever its name.
        limits: what is allowed.
        finite: True to refuse NaN and infinity anywhere (reads the whole file in blocks of 8 MB).

    Returns:
        The header's content.

    Raises:
        WeightsError: ``pickle_refused``, ``safetensors_invalid``, ``safetensors_limit`` or ``safetensors_not_finite``.
    """
    refuse_pickle(path)
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise _limit(path, f"is {size} bytes, {limits.file_bytes} are allowed")
    with path.open("rb") as file:
        header, data_start = _read_header(file, path, size, limits)
        metadata = _metadata(header.pop("__metadata__", {}), path)
        tensors = _tensors(header, path, limits)
        _check_cover(tensors, path, size - data_start)
        report = SafetensorsReport(tensors, metadata, data_start, size)
        if finite:
            _check_finite(file, path, report)
    return report


def refuse_pickle(path: Path) -> None:
    """Raise ``pickle_refused`` when ``path`` starts like a pickle or an archive that could hold one."""
    with path.open("rb") as file:
        start = file.read(16)
    # A safetensors header of 640 bytes starts with 80 02 too; a pickle can not go on with zeros and a brace.
    if start[4:9] == b"\0\0\0\0{":
        return
    if start.startswith(b"PK"):
        kind = "a zip archive, as torch.save writes around a pickle"
    elif _PICKLE_START.match(start):
        kind = "a Python pickle"
    else:
        return
    raise WeightsError(
        "pickle_refused",
        f"{path.name} is {kind}: it can run code when opened, whatever its name says. "
        "Convert it to safetensors where it came from and import that.",
    )


def _read_header(file: BinaryIO, path: Path, size: int, limits: Limits) -> tuple[dict[str, Any], int]:
    if size < 10:
        raise _invalid(path, f"has only {size} bytes")
    (length,) = struct.unpack("<Q", file.read(8))
    if length > limits.header_bytes:
        raise _limit(path, f"states a header of {length} bytes, {limits.header_bytes} are allowed")
    if length > size - 8:
        raise _invalid(path, f"states a header of {length} bytes but ends after {size - 8}")
    raw = file.read(length)
    if not raw.startswith(b"{"):
        raise _invalid(path, "has no JSON header")
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_doubles)
    # RecursionError: a header of nothing but opening brackets.
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f"has a broken header: {error}") from error
    return cast("dict[str, Any]", header), 8 + length


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name appears twice")
    return table


def _metadata(raw: object, path: Path) -> Mapping[str, str]:
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise _invalid(path, "has metadata other than text")
    return raw


def _tensors(header: dict[str, Any], path: Path, limits: Limits) -> dict[str, TensorInfo]:
    if not header:
        raise _invalid(path, "holds no tensor")
    if len(header) > limits.tensors:
        raise _limit(path, f"holds {len(header)} tensors, {limits.tensors} are allowed")
    return {name: _tensor(name, entry, path, limits) for name, entry in header.items()}


def _tensor(name: str, entry: object, path: Path, limits: Limits) -> TensorInfo:
    if not limits.names.fullmatch(name):
        raise _limit(path, f"holds a tensor called {name[:80]!r}, which is not an allowed name")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _invalid(path, f"describes {name} otherwise than by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if dtype not in limits.dtypes:
        raise _limit(path, f"holds {name} as {str(dtype)[:20]}, which is not an allowed type")
    if not _whole_numbers(shape, most=8) or not _whole_numbers(offsets, most=2) or len(offsets) != 2:
        raise _invalid(path, f"gives {name} a shape or offsets that are not whole numbers")
    begin, end = offsets
    if end - begin != math.prod(shape) * ITEM_SIZE[dtype]:
        raise _invalid(path, f"gives {name} {end - begin} bytes, its shape and type need another number")
    _check_rank(name, tuple(shape), path, limits)
    return TensorInfo(dtype, tuple(shape), begin, end)


def _whole_numbers(values: object, *, most: int) -> bool:
    # bool is an int to Python, hence type() and not isinstance().
    return isinstance(values, list) and len(values) <= most and all(type(v) is int and 0 <= v < 2**62 for v in values)


def _check_rank(name: str, shape: tuple[int, ...], path: Path, limits: Limits) -> None:
    if limits.rank is None or not _LOW_RANK.search(name):
        return
    if len(shape) < 2:
        raise _invalid(path, f"holds {name} with {len(shape)} dimensions, a low-rank factor has two or more")
    rank = shape[0] if _LOW_RANK_IN.search(name) else shape[1]
    if not 0 < rank <= limits.rank:
        raise _limit(path, f"holds {name} of rank {rank}, 1 to {limits.rank} are allowed")


def _check_cover(tensors: Mapping[str, TensorInfo], path: Path, data_bytes: int) -> None:
    """Offsets must follow on from each other and end at the end: no gap, overlap, or tail that could hide something."""
    reached = 0
    for name, info in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if info.begin != reached:
            raise _invalid(path, f"has a gap or an overlap before {name}")
        reached = info.end
    if reached != data_bytes:
        short = "is cut short" if reached > data_bytes else "has bytes after its last tensor"
        raise _invalid(path, f"{short}: its tensors need {reached} bytes, {data_bytes} are there")


def _check_finite(file: BinaryIO, path: Path, report: SafetensorsReport) -> None:
    for name, info in report.tensors.items():
        if info.dtype not in ("F64", "F32", "F16", "BF16"):
            continue
        file.seek(report.data_start + info.begin)
        if not all(_block_is_finite(block, info.dtype) for block in _blocks(file, info.end - info.begin)):
            raise WeightsError(
                "safetensors_not_finite",
                f"{path.name} holds NaN or infinity in {name}: it would draw noise. Ask its maker for another file.",
            )


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        block = file.read(min(length, _BLOCK))
        if not block:
            raise OSError("the file became shorter while it was read")
        length -= len(block)
        yield block


def _block_is_finite(block: bytes, dtype: str) -> bool:
    if dtype in _EXPONENT:
        bits: NDArray[np.uint16] = np.frombuffer(block, "<u2")
        return not bool(np.any((bits & _EXPONENT[dtype]) == _EXPONENT[dtype]))
    return bool(np.isfinite(np.frombuffer(block, "<f4" if dtype == "F32" else "<f8")).all())


def _invalid(path: Path, what: str) -> WeightsError:
    return WeightsError(
        "safetensors_invalid",
        f"{path.name} {what}. It is damaged or no safetensors file: get it again from where it came from.",
    )


def _limit(path: Path, what: str) -> WeightsError:
    return WeightsError("safetensors_limit", f"{path.name} {what}. It is not taken.")
