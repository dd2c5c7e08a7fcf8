"""The table is complete, pinned, and never names a pickle but SAM's."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from studio.weights import FAMILIES, Task
from studio.weights.types import Family

IMPORTED = ("captioner",)  # offered by nobody as safetensors
HUB = [family for family in FAMILIES.values() if family.hub]


def test_the_table_holds_every_family_that_the_studio_knows() -> None:
    assert list(FAMILIES) == [
        "mini", "sd15", "sdxl", "sam_vit_b", "sam_vit_l", "sam_vit_h", "mediapipe_pose", "mediapipe_selfie",
        "safety_checker", "captioner",
    ]  # fmt: skip
    assert {task for family in FAMILIES.values() for task in family.tasks} == set(Task)


@pytest.mark.parametrize("family", HUB, ids=lambda family: family.name)
def test_every_source_is_pinned_to_a_commit(family: Family) -> None:
    assert all(re.fullmatch(r"[0-9a-f]{40}", source.revision) for source in family.hub)


@pytest.mark.parametrize("family", HUB, ids=lambda family: family.name)
def test_only_safetensors_and_text_are_fetched_and_sams_checkpoint_has_its_hash(family: Family) -> None:
    for file in (file for source in family.hub for file in source.files):
        suffix = PurePosixPath(file.path).suffix
        assert suffix in {".safetensors", ".json", ".txt", ".pth"}
        assert PurePosixPath(file.target).suffix == suffix
        if suffix == ".pth":
            assert family.architecture == "sam"
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "")
            assert file.size == family.size


@pytest.mark.parametrize("family", HUB, ids=lambda family: family.name)
def test_what_is_fetched_makes_up_every_part(family: Family) -> None:
    targets = {file.target for source in family.hub for file in source.files}
    for part in family.components:
        if part.file:
            assert part.file in targets
        elif part.weights:
            assert {f"{part.name}/{part.weights}", f"{part.name}/config.json"} <= targets
        else:
            assert any(target.startswith(f"{part.name}/") for target in targets)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_row_says_what_a_merchant_must_know(family: Family) -> None:
    assert family.title
    assert family.licence.url.startswith("https://")
    assert family.size > 0
    assert all(width > 0 and height > 0 for width, height in family.native_sizes)
    assert bool(family.hub) + bool(family.bundled) == (family.name not in IMPORTED)
    assert (Task.GENERATE in family.tasks) == (family.defaults is not None) == (family.pipelines is not None)


def test_sizes_that_a_latent_diffusion_model_can_draw_are_multiples_of_eight() -> None:
    for family in FAMILIES.values():
        if family.defaults:
            assert all(width % 8 == height % 8 == 0 for width, height in family.native_sizes)
