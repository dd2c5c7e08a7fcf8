"""Tiny families with random weights in the architectures of sd15 and sdxl, with nine input channels and with four."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.random_families import write_family
from studio.dataset.types import DataSet
from studio.diffusion.types import FamilyFiles
from studio.lora.types import Plan
from tests.studio.lora.sets import small_set

KINDS = ("tiny", "tiny_xl", "tiny_plain", "tiny_xl_plain")


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FamilyFiles]:
    return {kind: write_family(tmp_path_factory.mktemp(kind) / kind, kind) for kind in KINDS}


@pytest.fixture(params=KINDS)
def family(request: pytest.FixtureRequest, families: dict[str, FamilyFiles]) -> FamilyFiles:
    """Runs a test once for each architecture."""
    return families[request.param]


@pytest.fixture
def sd(families: dict[str, FamilyFiles]) -> FamilyFiles:
    """Nine channels, v-prediction, one text encoder."""
    return families["tiny"]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return small_set(tmp_path_factory.mktemp("set"))


PLAN = Plan(
    "tiny", "zkx", rank=4, alpha=8.0, steps=4, batch_size=2, learning_rate=1e-2, warmup_steps=1, width=64, height=96,
    bucket_step=32, save_every=2, validate_every=2, sample_every=0, samples=1, sample_steps=2, seed=3,
)  # fmt: skip


@pytest.fixture
def plan() -> Plan:
    """Four quick steps."""
    return PLAN


def fresh(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
