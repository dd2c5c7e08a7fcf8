"""One resident detector for all of these tests: building MediaPipe's graph takes longer than any of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from studio.pose.detect import MediaPipeDetector


@pytest.fixture(scope="session")
def detector() -> Iterator[MediaPipeDetector]:
    with MediaPipeDetector() as found:
        yield found
