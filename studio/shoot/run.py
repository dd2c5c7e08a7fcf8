"""A shoot with everything it needs brought up: what the command line and the resident executor call."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from studio.diffusion.types import Engine
from studio.pose.detect import MediaPipeDetector, PoseDetector


@dataclass(frozen=True)
class Crew:
    """Engine, pose detector and the engine's weights' hashes, resident between shoots. Use ``with``, or close it."""

    engine: Engine
    detector: PoseDetector
    weights: Mapping[str, str]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        self.engine.close()
        if isinstance(self.detector, MediaPipeDetector):
            self.detector.close()


def bring_up(family: str, *, device: str | None = None, dtype: str | None = None) -> Crew:
    """Load a family's engine; the pose detector and the hashes come up beside it.

    Raises:
        InputError, WeightsError, OutOfMemory: as :func:`studio.diffusion.engine.load_engine`.
    """
    from studio.diffusion.engine import load_engine
    from studio.weights.store import family_hashes, locate

    located = locate(family)
    with ThreadPoolExecutor(max_workers=2) as pool:
        detector, hashes = pool.submit(MediaPipeDetector), pool.submit(family_hashes, located)
        engine = load_engine(family, device=device, dtype=dtype)
        return Crew(engine, detector.result(), hashes.result())
