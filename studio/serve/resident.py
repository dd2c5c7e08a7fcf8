"""What stays in memory between jobs: one engine with its pose detector, or a pose detector alone."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PIL import Image

from studio.errors import EngineError

if TYPE_CHECKING:
    from studio.dataset.captioner import Describer
    from studio.dataset.inspecting import Tools
    from studio.dataset.people import MediaPipeFaces
    from studio.diffusion.types import Engine, FamilyFiles
    from studio.pose.detect import MediaPipeDetector, PoseDetector
    from studio.safety import SafetyChecker
    from studio.segmentation.embedders import Embedder
    from studio.shoot.run import Crew


class Resident:
    """Brings up on demand, swaps families, keeps for the next job. Only ever called from the job thread."""

    def __init__(self, *, device: str | None) -> None:
        """``device``: of the engine, None for the best there is."""
        self._device = device
        self._crew: Crew | None = None
        self._detector: MediaPipeDetector | None = None
        self._checker: SafetyChecker | None = None
        self._embedder: tuple[str, Embedder] | None = None
        self._faces: tuple[MediaPipeFaces, Describer | None] | None = None
        self.family: str | None = None
        """The engine that is up; may be read from any thread."""

    def crew(self, family: str, *, loading: Callable[[], None] | None = None) -> Crew:
        """The crew of a family; ``loading`` is called before one is brought up.

        Another family is let go first: two would not fit where one only just does.

        Raises:
            InputError, WeightsError, OutOfMemory: as :func:`studio.shoot.run.bring_up`.
        """
        if self._crew is not None and self.family == family:
            return self._crew
        from studio.shoot.run import bring_up
        from studio.weights.store import locate

        locate(family)  # a family that isn't here is no reason to let go of the one that is
        if loading is not None:
            loading()
        self.let_go()
        self._crew = bring_up(family, device=self._device)
        if self._crew.engine.describe().get("device") != "cpu":
            warm_up(self._crew.engine)
        self.family = family
        return self._crew

    @property
    def device(self) -> str | None:
        """The engine's, as asked; None for the best there is."""
        return self._device

    def make_room(self, family: str) -> FamilyFiles:
        """Let go of everything before a training loads a family of its own; the files it is to load.

        A training never touches the resident engine: what it changes must not be there for the next merchant's job.

        Raises:
            InputError, WeightsError: there is no such family here; nothing was let go.
        """
        from studio.diffusion.parts import from_located
        from studio.weights.store import locate

        files = from_located(locate(family))
        self.let_go()
        return files

    def detector(self) -> PoseDetector:
        """The crew's pose detector, or one of its own while there is no crew."""
        if self._crew is not None:
            return self._crew.detector
        if self._detector is None:
            from studio.pose.detect import MediaPipeDetector

            self._detector = MediaPipeDetector()
        return self._detector

    def checker(self) -> SafetyChecker:
        """Whoever takes the first look; WeightsError when its weights are damaged."""
        if self._checker is None:
            from studio.safety import bring_up

            self._checker = bring_up(self.detector(), device=self._device or "cpu")
        return self._checker

    def embedder(self, family: str) -> Embedder:
        """Whoever embeds photos for a family; another family's is let go first. As ``embedders.bring_up`` refuses."""
        if self._embedder is None or self._embedder[0] != family:
            from studio.segmentation.embedders import bring_up

            self._embedder = None
            self._embedder = (family, bring_up(family, device=self._device))
        return self._embedder[1]

    def tools(self) -> Tools:
        """Whoever looks at a set of photos; WeightsError when a captioner is here and damaged."""
        from studio.dataset.captioner import bring_up
        from studio.dataset.inspecting import Tools
        from studio.dataset.people import MediaPipeFaces

        if self._faces is None:
            self._faces = (MediaPipeFaces(), bring_up(device=self._device or "cpu"))
        faces, describer = self._faces
        return Tools(self.detector(), faces, describer)

    def let_go(self) -> None:
        """Give all memory back; the next job brings up what it needs."""
        self._checker, self._embedder, self._faces = None, None, None
        crew, detector = self._crew, self._detector
        self._crew, self._detector, self.family = None, None, None
        for held in (crew, detector):
            if held is not None:
                with contextlib.suppress(Exception):  # it is on its way out, whatever it says
                    held.close()

    def require_device(self) -> None:
        """After a failure: an accelerator whose context is lost stays lost for the life of the process.

        Raises:
            EngineError: ``device_lost``, retryable in a new process.
        """
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            return
        try:
            torch.cuda.synchronize()
        except Exception as error:
            raise EngineError("device_lost", f"The accelerator is lost: {error}", retryable=True) from error


def gpu_memory() -> list[dict[str, Any]]:
    """Bytes on each GPU that this process has touched: ``{"device", "allocated", "reserved", "total"}``.

    ``allocated`` is held by tensors, ``reserved`` by torch's allocator. Empty while torch is not loaded, and without a
    GPU. Read from torch's own books: it waits for no kernel, so it may be called from any thread while a job paints.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    cuda = torch.cuda
    return [
        {
            "device": device,
            "allocated": cuda.memory_allocated(device),
            "reserved": cuda.memory_reserved(device),
            "total": cuda.get_device_properties(device).total_memory,
        }
        for device in range(cuda.device_count())
        if cuda.memory_reserved(device)
    ]


def warm_up(engine: Engine) -> None:
    """Run the kinds of work a shoot does once at its usual size, so that the first merchant does not wait for it.

    An accelerator loads kernels and picks algorithms at the first call of each; on a CPU a first shoot was measured to
    be no slower than the next, so there it would be time wasted.
    """
    from studio.diffusion.types import Control, Generate

    size = (engine.defaults.width, engine.defaults.height)
    mask = Image.new("L", size, 0)
    mask.paste(255, (0, 0, size[0], size[1] // 2))
    kinds = engine.capabilities.controls
    controls = (Control(Image.new("RGB", size)),) if "openpose" in kinds else ()
    request = Generate("warm", seed=0, steps=1, image=Image.new("RGB", size), mask=mask, controls=controls)
    engine.generate(request, on_preview=lambda preview: None)
