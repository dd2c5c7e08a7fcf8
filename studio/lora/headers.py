"""What the header of an adapter file says, and the file in kohya's layout: no torch, and no tensor is touched.

kohya's scripts name the same matrices otherwise and keep a scale, ``alpha``, for each module. A safetensors file is a
header and the tensors' bytes behind it, so the file in their layout is another header, the alphas, and everything that
stood behind the old header, byte for byte.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from studio.errors import InputError
from studio.files import write_atomically
from studio.lora.layouts import kohya_name
from studio.lora.uploads import matrix_of, plain_module
from studio.weights.lora_files import METADATA_KEY, check_lora_file, config_of, is_kohya, scale_of

LENGTH = 8  # bytes that hold the header's length
ATTENTION = re.compile(r"to[._](?:[qkv]|out[._]0)$")
DEEP = re.compile(r"transformer_blocks\.1\.")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Header:
    """A file's header.

    Attributes:
        entries: the tensors as the header describes them: dtype, shape, data_offsets.
        metadata: text by name.
        data_start: where the tensors' bytes begin.
    """

    entries: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, str]
    data_start: int


@dataclass(frozen=True)
class Reach:
    """What an adapter changes: its largest rank, and whether more than the denoiser's attention."""

    rank: int
    convolution: bool
    text_encoder: bool


@dataclass(frozen=True)
class Beginning:
    """``head`` stands in the place of the file's first ``start`` bytes; what follows stays as it is."""

    head: bytes
    start: int


def header_bytes(beginning: bytes) -> int:
    """How many bytes a file's header takes, its length included; ``beginning`` has eight at least."""
    return LENGTH + int(struct.unpack("<Q", beginning[:LENGTH])[0])


def read_header(beginning: bytes) -> Header:
    """The header of a file that was checked when it came.

    Args:
        beginning: of the file, :func:`header_bytes` of it at least.
    """
    end = header_bytes(beginning)
    entries = json.loads(beginning[LENGTH:end])
    return Header(entries, entries.pop("__metadata__", {}), end)


def reach_of(header: Header) -> Reach:
    """What a training has to tune to go on with this adapter.

    Raises:
        InputError: ``adapter_layout_unknown``.
    """
    kohya = is_kohya(header.entries)
    ranks, convolution, texts = [], False, False
    for name, entry in header.entries.items():
        if name.endswith(".alpha"):
            continue
        stem, down = matrix_of(name)
        if down:
            ranks.append(int(entry["shape"][0]))
        text = stem.startswith("lora_te") if kohya else plain_module(stem)[0] != "unet"
        texts, convolution = texts or text, convolution or not (text or ATTENTION.search(stem))
    return Reach(max(ranks, default=1), convolution, texts)


def in_kohyas_layout(header: Header) -> Beginning:
    """What turns a file in diffusers' or peft's layout into one in kohya's; one of kohya's stays as it is.

    Raises:
        InputError: ``adapter_layout_unknown``, ``adapter_metadata_unreadable``.
    """
    if is_kohya(header.entries):
        return Beginning(b"", 0)
    config = config_of(header.metadata)
    xl, layers = _architecture(header)
    entries: dict[str, Mapping[str, Any]] = {}
    alphas: dict[str, float] = {}
    for name, entry in header.entries.items():
        stem, down = matrix_of(name)
        component, module = plain_module(stem)
        theirs = kohya_name(component, module, xl=xl, layers=layers)
        entries[f"{theirs}.lora_{'down' if down else 'up'}.weight"] = entry
        if down:
            alphas[f"{theirs}.alpha"] = scale_of(component, module, config) * int(entry["shape"][0])
    said = {name: text for name, text in header.metadata.items() if name != METADATA_KEY}
    return _written(entries, alphas, said | _kohya_metadata(entries, alphas, xl=xl), header.data_start)


def export_kohya(adapter: Path, to: Path) -> None:
    """Write an adapter of ours in kohya's layout: ``lora_down``, ``lora_up`` and ``alpha`` for each module.

    Args:
        adapter: a file in diffusers' or peft's layout.
        to: where; the folder must exist.

    Raises:
        InputError: ``adapter_layout_unknown``, also for a file that is kohya's already; and as
            :func:`studio.weights.lora_files.check_lora_file`.
        StorageError: as :func:`studio.files.write_atomically`.
    """
    check_lora_file(adapter)
    with adapter.open("rb") as source:
        length = header_bytes(source.read(LENGTH))
        source.seek(0)
        header = read_header(source.read(length))
        if is_kohya(header.entries):
            raise InputError("adapter_layout_unknown", f"{adapter.name} is in kohya's layout already.")
        found = in_kohyas_layout(header)

        def write(out: BinaryIO) -> None:
            source.seek(found.start)
            out.write(found.head)
            while block := source.read(_BLOCK):
                out.write(block)

        write_atomically(to, write)


def _written(
    entries: Mapping[str, Mapping[str, Any]], alphas: Mapping[str, float], metadata: Mapping[str, str], start: int
) -> Beginning:
    """The new header and the alphas behind it, four bytes each; every other tensor moves back by as much."""
    moved = 4 * len(alphas)
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    for number, name in enumerate(alphas):
        header[name] = {"dtype": "F32", "shape": [], "data_offsets": [4 * number, 4 * number + 4]}
    for name, entry in entries.items():
        header[name] = {**entry, "data_offsets": [offset + moved for offset in entry["data_offsets"]]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + moved) % LENGTH)  # the matrices stay where their type may be read at once
    return Beginning(struct.pack("<Q", len(text)) + text + struct.pack(f"<{len(alphas)}f", *alphas.values()), start)


def _kohya_metadata(
    entries: Mapping[str, Mapping[str, Any]], alphas: Mapping[str, float], *, xl: bool
) -> dict[str, str]:
    """What kohya's own files say of themselves, as far as programs look at it."""
    rank = next(entry["shape"][0] for name, entry in entries.items() if name.endswith("lora_down.weight"))
    return {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(rank),
        "ss_network_alpha": str(next(iter(alphas.values()))),
        "ss_base_model_version": "sdxl_base_v1-0" if xl else "sd_v1",
    }


def _architecture(header: Header) -> tuple[bool, int]:
    """Whether it is an SDXL's, and layers_per_block; of a foreign file by what SDXL alone has: deep transformers."""
    said = header.metadata
    if "imodel.architecture" in said:
        return said["imodel.architecture"] == "sdxl", int(said["imodel.layers_per_block"])
    deep = any(DEEP.search(name) for name in header.entries)
    return deep or any(name.startswith("text_encoder_2.") for name in header.entries), 2
