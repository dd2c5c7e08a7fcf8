"""The pose found again in the result, against the one that was asked."""

from __future__ import annotations

from studio.fidelity.report import Gap, PoseReport
from studio.fidelity.subject import Subject
from studio.pose.detect import Detection
from studio.pose.metrics import COCO_17, inside, oks, pck, torso
from studio.pose.types import J, Pose

# Joints of a lower confidence are not drawn in the skeleton, so nobody asked for them.
DRAWN_FROM = 0.05
LEAST_JOINTS = 5
NOT_ASKED = Gap("no_pose_asked", "No pose was asked for.", False)
NO_DETECTOR = Gap("no_detector", "The pose was not looked for in this picture.", True)
NOT_FOUND = Gap("pose_not_found", "No person could be made out in the picture, so the pose was not compared.", True)
FEW_JOINTS = Gap("few_joints", "Too little of the asked pose lies in the picture to compare it.", True)


def compare_pose(subject: Subject, found: Detection | None, *, looked: bool) -> PoseReport:
    """PCK (at 0.2 torso diagonals) and OKS over the asked COCO joints in the frame; ``looked``: with a detector."""
    gap = pose_gap(subject.asked, found, looked=looked)
    if gap is not None or subject.asked is None or found is None:
        return PoseReport(gap=gap)
    joints = asked_joints(subject.asked)
    if len(joints) < LEAST_JOINTS or not torso(subject.asked) > 0:
        return PoseReport(gap=FEW_JOINTS)
    score = pck(found.pose, subject.asked, joints=joints)
    return PoseReport(score, oks(found.pose, subject.asked, joints=joints), len(joints))


def pose_gap(asked: Pose | None, found: Detection | None, *, looked: bool) -> Gap | None:
    """Why the found pose can't be held against the asked one; None when it can."""
    if asked is None:
        return NOT_ASKED
    if not looked:
        return NO_DETECTOR
    return NOT_FOUND if found is None else None


def asked_joints(asked: Pose) -> tuple[J, ...]:
    """The COCO joints that were drawn and lie in the picture."""
    return tuple(j for j in inside(asked, COCO_17) if asked.confidence[j] >= DRAWN_FROM)
