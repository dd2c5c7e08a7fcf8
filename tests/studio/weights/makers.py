"""Small weights for tests: files of a real family's names and forms, with little in them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.weights.registry import FAMILIES
from studio.weights.types import Family

CONFIGS: dict[str, dict[str, object]] = {
    "vae": {"_class_name": "AutoencoderKL", "latent_channels": 4},
    "text_encoder": {"architectures": ["CLIPTextModel"]},
    "unet": {"_class_name": "UNet2DConditionModel", "in_channels": 9, "cross_attention_dim": 768},
    "controlnet": {"_class_name": "ControlNetModel", "cross_attention_dim": 768},
}
UNET = "unet/diffusion_pytorch_model.fp16.safetensors"


def safetensors(tensors: dict[str, NDArray[np.generic]], metadata: dict[str, str] | None = None) -> bytes:
    """A safetensors file written by hand from the format's description, so that tests can bend it."""
    names = {"float32": "F32", "float16": "F16", "int64": "I64", "float64": "F64"}
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    body = b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        offsets = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": names[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
        body += raw
    return with_header(header, body)


def with_header(header: object, body: bytes = b"") -> bytes:
    """Any JSON as a safetensors header before ``body``."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def noise(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Finite numbers that do not compress or repeat."""
    return np.random.default_rng(seed).standard_normal(count, dtype=np.float32)


def small_file(path: str, *, large: int = 0) -> bytes:
    """Content for one path of a diffusers repository; the UNet holds ``large`` extra floats."""
    if path.endswith(".safetensors"):
        extra = {"big": noise(large)} if large and path.startswith("unet") else {}
        return safetensors({"w": noise(8, seed=len(path)), **extra})
    if path.endswith("config.json"):
        return json.dumps(CONFIGS.get(Path(path).parent.name, {"_class_name": "PNDMScheduler"})).encode()
    return b"{}" if path.endswith(".json") else b"#version: 0.2\n"


def hub_files(family: Family, *, large: int = 0) -> dict[tuple[str, str, str], bytes]:
    """Everything that the stand-in must serve for a family of diffusers layout."""
    files = {}
    for source in family.hub:
        for file in source.files:
            content = small_file(file.target, large=large)
            files[source.repo, source.revision, file.path] = content
    return files


def hub_key(name: str, target: str) -> tuple[str, str, str]:
    """Repository, revision and path of the file that a family stores as ``target``."""
    for source in FAMILIES[name].hub:
        for file in source.files:
            if file.target == target:
                return source.repo, source.revision, file.path
    raise KeyError(target)


def diffusers_folder(root: Path, *, without: tuple[str, ...] = ()) -> Path:
    """A user's folder in diffusers layout, of sd15's shape."""
    for source in FAMILIES["sd15"].hub:
        for file in source.files:
            part = file.target.split("/")[0]
            if part not in without:
                target = root / file.target
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(small_file(file.target))
    return root


class Harmful:
    """Pickles to a call; whoever unpickles it, runs it."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.proof), "w")
