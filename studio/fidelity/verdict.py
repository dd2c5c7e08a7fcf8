"""From figures to a verdict with reasons, and from several reports to the best one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from studio.errors import InputError
from studio.fidelity.report import (
    GarmentReport,
    LimbReport,
    OutlineReport,
    PoseReport,
    Reason,
    Report,
    SeamReport,
    Verdict,
)
from studio.fidelity.thresholds import Thresholds

GOOD, CHECK, REJECT = Verdict.GOOD, Verdict.CHECK, Verdict.REJECT
_RANK = {GOOD: 0, CHECK: 1, REJECT: 2}


@dataclass(frozen=True)
class Findings:
    """The five sections before they are judged."""

    garment: GarmentReport
    seam: SeamReport
    pose: PoseReport
    limbs: LimbReport
    outline: OutlineReport


def judge(findings: Findings, lines: Thresholds) -> Report:
    """The verdict is that of the weightiest reason; what could not be measured asks for a look, never for a score."""
    f = findings
    reasons = [
        *_garment(f.garment, lines), *_seam(f.seam, lines), *_pose(f.pose, lines), *_limbs(f.limbs),
        *_outline(f.outline, lines), *_gaps(f),
    ]  # fmt: skip
    verdict = max((reason.weight for reason in reasons), key=lambda weight: _RANK[weight])
    # The weightiest first; praise last.
    ordered = sorted(reasons, key=lambda reason: -_RANK[reason.weight])
    return Report(f.garment, f.seam, f.pose, f.limbs, f.outline, verdict, tuple(ordered))


def best_of(reports: Sequence[Report]) -> int:
    """Index of the best report.

    The order, each step deciding only between those that were equal before: the verdict; fewer changed garment pixels;
    fewer sections that could not be measured; fewer faults of limbs; PCK in steps of 0.1; the seam's mean CIEDE2000 in
    steps of 1; the outline's IoU in steps of 0.05; OKS; the earlier picture.

    Raises:
        InputError: ``nothing_to_choose`` for no reports.
    """
    if not reports:
        raise InputError("nothing_to_choose", "There are no pictures to choose from.")
    return min(range(len(reports)), key=lambda index: (*_badness(reports[index]), index))


def _badness(report: Report) -> tuple[float, ...]:
    """Smaller is better. A figure that was not measured counts as the worst one: nobody profits from hiding."""
    garment, limbs = report.garment, report.limbs
    gaps = sum(section.gap is not None and section.gap.asked for section in _sections(report))
    return (
        _RANK[report.verdict],
        0.0 if garment.locked_ratio is None else 1.0 - garment.locked_ratio,
        gaps,
        len(limbs.missing or ()) + len(limbs.extra or ()),
        -_stepped(report.pose.pck, 0.1, worst=0.0),
        _stepped(report.seam.delta_e_mean, 1.0, worst=100.0),
        -_stepped(report.outline.iou, 0.05, worst=0.0),
        -(report.pose.oks or 0.0),
    )


def _stepped(value: float | None, step: float, *, worst: float) -> float:
    return round((worst if value is None else value) / step)


def _sections(
    of: Report | Findings,
) -> tuple[GarmentReport | SeamReport | PoseReport | LimbReport | OutlineReport, ...]:
    return of.garment, of.seam, of.pose, of.limbs, of.outline


def _garment(garment: GarmentReport, lines: Thresholds) -> Iterator[Reason]:
    if garment.locked_ratio is None or garment.pixels is None or garment.coverage is None:
        return
    changed = round((1 - garment.locked_ratio) * garment.pixels)
    if changed:
        yield Reason(
            "garment_changed", f"The garment was changed: {changed} of its pixels differ from the photo's.", REJECT
        )
    else:
        yield Reason("garment_untouched", "The garment's pixels are untouched.", GOOD)
    if garment.coverage < lines.coverage_check:
        share = f"Only {garment.coverage:.0%} of the garment could be kept from the photo; the rest was repainted."
        yield Reason("garment_mostly_repainted", share, CHECK)


def _seam(seam: SeamReport, lines: Thresholds) -> Iterator[Reason]:
    if seam.delta_e_mean is None or seam.step is None:
        return
    if seam.delta_e_mean > lines.seam_reject or seam.step > lines.step_reject:
        yield Reason("seam_glaring", "The garment's edge has plainly another colour than its middle.", REJECT)
    elif seam.delta_e_mean > lines.seam_check or seam.step > lines.step_check:
        yield Reason("seam_visible", "A seam may show along the garment's edge.", CHECK)
    else:
        yield Reason("seam_clean", "No seam shows along the garment's edge.", GOOD)


def _pose(pose: PoseReport, lines: Thresholds) -> Iterator[Reason]:
    if pose.pck is None:
        return
    if pose.pck < lines.pck_reject:
        yield Reason("pose_different", "The model stands differently from what was asked.", REJECT)
    elif pose.pck < lines.pck_check:
        yield Reason("pose_off", "The model's pose is partly off.", CHECK)
    else:
        yield Reason("pose_followed", "The model's pose is the one that was asked for.", GOOD)


def _limbs(limbs: LimbReport) -> Iterator[Reason]:
    for name in limbs.missing or ():
        yield Reason("limb_missing", f"The {name} looks wrong or is missing.", CHECK)
    for name in limbs.extra or ():
        yield Reason("limb_extra", f"There may be {'an' if name[0] in 'aeiou' else 'a'} {name} too many.", CHECK)
    if limbs.missing == () and limbs.extra == ():
        yield Reason("limbs_complete", "No limb is missing and none too many, as far as can be told.", GOOD)
    if limbs.gap is None and limbs.extra is None:
        yield Reason("extra_limbs_not_looked_for", "Too little skin is in view to look for limbs too many.", GOOD)


def _outline(outline: OutlineReport, lines: Thresholds) -> Iterator[Reason]:
    if outline.iou is None:
        return
    sleeve, hem = outline.sleeve_difference or 0.0, outline.hem_difference or 0.0
    if abs(sleeve) > lines.sleeve_check:
        yield Reason(
            "sleeve_changed", f"A sleeve looks {'longer' if sleeve > 0 else 'shorter'} than in the photo.", CHECK
        )
    if abs(hem) > lines.hem_check:
        yield Reason("hem_changed", f"The hem looks {'lower' if hem > 0 else 'higher'} than in the photo.", CHECK)
    if outline.iou < lines.outline_check:
        yield Reason("outline_changed", "The garment's outline looks different from the photo's.", CHECK)
    elif abs(sleeve) <= lines.sleeve_check and abs(hem) <= lines.hem_check:
        yield Reason("outline_kept", "The garment keeps its outline.", GOOD)


def _gaps(findings: Findings) -> Iterator[Reason]:
    gaps = {s.gap.code: s.gap for s in _sections(findings) if s.gap is not None and s.gap.asked}
    for gap in gaps.values():
        yield Reason(gap.code, gap.message, CHECK)
    if all(section.gap is not None for section in _sections(findings)) and not gaps:
        yield Reason("nothing_measured", "There was nothing to measure this picture by.", CHECK)
