"""From a finished picture to its report."""

from __future__ import annotations

from PIL import Image

from studio.fidelity.landmarks import NO_DETECTOR, NOT_FOUND, compare_pose
from studio.fidelity.limbs import count_limbs
from studio.fidelity.lock import compare_garment
from studio.fidelity.outline import compare_outline
from studio.fidelity.report import Gap, Report
from studio.fidelity.seam import measure_seam
from studio.fidelity.subject import Subject
from studio.fidelity.thresholds import Thresholds
from studio.fidelity.verdict import Findings, judge
from studio.fidelity.working import working_copy
from studio.pose.detect import Detection, PoseDetector
from studio.pose.types import Pose
from studio.segmentation.masks import Mask


def measure(
    result: Image.Image,
    source: Image.Image | None,
    garment: Mask | None,
    *,
    locked: Mask | None,
    asked: Pose | None,
    detector: PoseDetector | None,
    thresholds: Thresholds | None = None,
) -> Report:
    """Measure a finished picture and say what it is worth.

    Args:
        result: RGB, the finished picture.
        source: RGB of the same size: the photo resampled onto the result's canvas; None for text to image.
        garment: (H, W) bool, the garment on that canvas, or None.
        locked: (H, W) bool inside ``garment`` where the photo's pixels were put back; None erodes ``garment`` by
            ``thresholds.lock_share``.
        asked: the pose that was asked for, over the result, or None.
        detector: finds the pose again in the result; None leaves pose and limbs unmeasured, and the report says so.
        thresholds: where the verdict draws its lines; None takes the documented ones.

    Raises:
        InputError: the arguments don't lie over one canvas, see :meth:`studio.fidelity.subject.Subject.of`.
        EngineError: ``pose_engine_failed``.
    """
    lines = thresholds or Thresholds()
    subject = Subject.of(result, source, garment, locked=locked, asked=asked, lock_share=lines.lock_share)
    found = None if detector is None else detector.detect(result.convert("RGB"))
    small = working_copy(subject, found)
    findings = Findings(
        garment=compare_garment(subject),
        seam=measure_seam(subject),
        pose=compare_pose(subject, found, looked=detector is not None),
        limbs=count_limbs(small, gap=_nobody(found, looked=detector is not None)),
        outline=compare_outline(small),
    )
    return judge(findings, lines)


def _nobody(found: Detection | None, *, looked: bool) -> Gap | None:
    if not looked:
        return NO_DETECTOR
    return NOT_FOUND if found is None else None


__all__ = ["Report", "measure"]
