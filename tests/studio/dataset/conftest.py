"""One pose detector and one face finder for the whole room; each costs half a second to build."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from studio.dataset.people import MediaPipeFaces
from studio.pose.detect import MediaPipeDetector


@pytest.fixture(scope="session")
def detector() -> Iterator[MediaPipeDetector]:
    with MediaPipeDetector() as one:
        yield one


@pytest.fixture(scope="session")
def faces() -> Iterator[MediaPipeFaces]:
    with MediaPipeFaces() as one:
        yield one
