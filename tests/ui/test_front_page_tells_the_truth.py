"""The numbers of the front page are those of the pictures that lie beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from studio.provenance import SourceType, read_labels

FRONT = Path(__file__).parents[2] / "frontend" / "plain" / "img" / "front"
FACTS = json.loads((FRONT / "facts.json").read_text(encoding="utf-8"))


def test_the_picture_carries_the_labels_that_the_page_counts() -> None:
    labels = read_labels((FRONT / "after.webp").read_bytes())
    assert labels.source_type is SourceType.COMPOSITE
    assert labels.aigc is not None
    assert FACTS["labels"] == ["source_type", "aigc"]


def test_before_and_after_are_of_one_size_and_of_one_dress() -> None:
    before, after = (np.asarray(Image.open(FRONT / name).convert("RGB"), int) for name in ("before.webp", "after.webp"))
    assert before.shape == after.shape == (FACTS["height"], FACTS["width"], 3)
    same = np.abs(before - after).max(axis=2) <= 24  # both are lossy WebP of what was equal
    assert same.sum() >= 0.9 * FACTS["pixels"]
    assert same.mean() < 0.6  # and the scene is another


def test_the_picture_is_one_that_the_report_found_good() -> None:
    assert FACTS["verdict"] == "good"
    assert FACTS["kept"] == 1.0


@pytest.mark.django_db
def test_the_page_says_the_numbers(client: Client) -> None:
    html = client.get("/").content.decode()
    assert f"{FACTS['seconds']} s" in html
    assert f"{FACTS['pixels']:,}" in html
    assert "100 %" in html
