"""Two tiny families with random weights, written and loaded as a user's files are: one like sd15, one like sdxl."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
from PIL import Image

from bench.random_families import write_family
from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.types import FamilyFiles


@pytest.fixture(scope="session")
def sd_family(tmp_path_factory: pytest.TempPathFactory) -> FamilyFiles:
    return write_family(tmp_path_factory.mktemp("sd"), "tiny")


@pytest.fixture(scope="session")
def sd_engine(sd_family: FamilyFiles) -> Iterator[DiffusersEngine]:
    engine = DiffusersEngine(sd_family, device="cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def xl_family(tmp_path_factory: pytest.TempPathFactory) -> FamilyFiles:
    return write_family(tmp_path_factory.mktemp("xl"), "tiny_xl")


@pytest.fixture(scope="session")
def xl_engine(xl_family: FamilyFiles) -> Iterator[DiffusersEngine]:
    engine = DiffusersEngine(xl_family, device="cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="session", params=["sd", "xl"])
def kind(request: pytest.FixtureRequest) -> str:
    """Runs a test once for each architecture."""
    return str(request.param)


@pytest.fixture(scope="session")
def family(request: pytest.FixtureRequest, kind: str) -> FamilyFiles:
    return cast(FamilyFiles, request.getfixturevalue(f"{kind}_family"))


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest, kind: str) -> DiffusersEngine:
    return cast(DiffusersEngine, request.getfixturevalue(f"{kind}_engine"))


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """64x96, a smooth gradient with a bright square."""
    rows, columns = np.mgrid[0:96, 0:64]
    pixels = np.stack([rows * 2, columns * 3, 255 - rows * 2], axis=-1).astype(np.uint8)
    pixels[30:50, 20:40] = (250, 240, 30)
    return Image.fromarray(pixels)


@pytest.fixture(scope="session")
def mask() -> Image.Image:
    """64x96, a white rectangle in the middle, its edges on latent pixels."""
    values = np.zeros((96, 64), np.uint8)
    values[32:64, 16:48] = 255
    return Image.fromarray(values)


@pytest.fixture(scope="session")
def skeleton() -> Image.Image:
    """64x96, coloured bars on black."""
    pixels = np.zeros((96, 64, 3), np.uint8)
    pixels[10:80, 28:34] = (255, 85, 0)
    pixels[40:46, 5:60] = (0, 170, 255)
    return Image.fromarray(pixels)
