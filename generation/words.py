"""What the worker's codes and the report's figures mean, in the merchant's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from generation.models import Verdict
from imodel_site.lib.studio_words import found_reason, not_measured, sentence

# The executor's stages; "" before the first one.
STAGES: Mapping[str, Any] = {
    "": lazy("Waiting for its turn"),
    "waiting": lazy("Waiting for its turn"),
    "weights": lazy("Getting the studio ready"),
    "pose and mask": lazy("Looking at the photo"),
    "painting": lazy("Painting"),
    "composite": lazy("Putting the garment back"),
    "files": lazy("Checking"),
    "done": lazy("Checking"),
    "storing": lazy("Putting the pictures away"),
}


def stage(code: str) -> str:
    """A stage as a merchant reads it."""
    return str(STAGES.get(code) or _("Working"))


# Failures whose own message is the studio's, in English and for developers; the others are said as they came.
FAILURES: Mapping[str, Any] = {
    "photo_gone": lazy("The photo was deleted before the shoot began. Choose another one."),
    "photo_rejected": lazy("The photo was removed by moderation before the shoot was done. Choose another one."),
    "input_gone": lazy("A file of this order was deleted before the shoot began. Order it anew."),
    "garment_not_found": lazy(
        "No garment was found in this photo. Try a photo with a plain background, or add a mask."
    ),
    "garment_part_missing": lazy("No such garment was found in this photo. Choose another part, or add a mask."),
    "garment_out_of_frame": lazy("The garment lies outside of the crop. Choose a crop that shows all of it."),
    "canvas_too_large": lazy("Too much would have to be invented around this photo. Choose a closer crop."),
    "mask_wrong_size": lazy("The mask does not have the photo's size. Draw it over this very photo."),
    "mask_empty": lazy("Nothing in the mask is white. White marks the garment."),
    "pose_needed": lazy("A pose change needs a pose. Choose one."),
    "skeleton_too_small": lazy("Too little of this pose is known. Choose another one."),
    "recipe_photo_differs": lazy("The photo is not the one this picture was made from, so it can not be repeated."),
    "recipe_weights_differ": lazy("The studio's weights have changed since, so the same bytes can not be made again."),
    "recipe_versions_differ": lazy(
        "The studio was updated since, so the same bytes can not be made again. Use “Again”."
    ),
    "recipe_table_differs": lazy("The photo is now read differently, so the same bytes can not be made again."),
    "out_of_memory": lazy("The studio ran out of memory. Order fewer pictures at once, or try again."),
    "weights_missing": lazy("The studio's weights are not installed. Whoever runs it must fetch them."),
    "disk_full": lazy("There was no room for the pictures. Nothing was charged; try again later."),
    "storage_unavailable": lazy("The pictures could not be put away. Try again in a minute."),
    "picture_damaged": lazy("A picture was damaged on its way. Try again."),
    "internal_error": lazy("Something went wrong on our side. It was written down; try again."),
    "executor_full": lazy("The studio is very busy. Try again in a minute."),
}


def failure(code: str, message: str) -> str:
    """Why a shoot failed."""
    return str(FAILURES.get(code) or sentence(code, message) or FAILURES["internal_error"])


VERDICTS: Mapping[str, Any] = {
    Verdict.GOOD: lazy("Good: nothing was found wrong."),
    Verdict.CHECK: lazy("Look again before you use it."),
    Verdict.REJECT: lazy("Not usable as it is."),
    Verdict.NONE: lazy("Nothing was to be kept here, so there is nothing to compare with."),
}
LIMBS: Mapping[str, Any] = {
    "left arm": lazy("left arm"), "right arm": lazy("right arm"), "left forearm": lazy("left forearm"),
    "right forearm": lazy("right forearm"), "left upper arm": lazy("left upper arm"),
    "right upper arm": lazy("right upper arm"), "left thigh": lazy("left thigh"), "right thigh": lazy("right thigh"),
    "left shin": lazy("left shin"), "right shin": lazy("right shin"), "left foot": lazy("left foot"),
    "right foot": lazy("right foot"), "left hand": lazy("left hand"), "right hand": lazy("right hand"),
    "arm": lazy("arm"), "leg": lazy("leg"), "hand": lazy("hand"),
}  # fmt: skip


def verdict(picture: Any) -> list[str]:
    """A picture's verdict in one to three sentences, the weightiest first."""
    report = picture.report or {}
    said = [str(VERDICTS.get(picture.verdict, "")), *_decisive(picture.verdict, report)]
    garment = report.get("garment") or {}
    if garment.get("locked_ratio") == 1:
        said.append(_("The garment's pixels are untouched."))
    elif garment.get("locked_ratio") is not None:
        said.append(_("Some of the garment's pixels were changed."))
    limbs = report.get("limbs") or {}
    for key, words in (("missing", _("Missing: %(names)s.")), ("extra", _("Too many: %(names)s."))):
        if limbs.get(key):
            said.append(words % {"names": ", ".join(str(LIMBS.get(name, name)) for name in limbs[key])})
    return said


def garment(picture: Any) -> str:
    """What became of the garment's pixels, in two words; empty where nothing was compared."""
    kept = ((picture.report or {}).get("garment") or {}).get("locked_ratio")
    if kept is None:
        return ""
    return _("Garment untouched") if kept == 1 else _("Garment changed")


def _decisive(verdict: str, report: Mapping[str, Any]) -> list[str]:
    """Why a picture is not simply good; the studio puts the weightiest first. Garment and limbs are said anyway."""
    first = (report.get("reasons") or [])[:1]
    told = not first or first[0].get("code") in ("garment_changed", "limb_missing", "limb_extra")
    return [] if told or verdict not in (Verdict.CHECK, Verdict.REJECT) else reasons({"reasons": first})


def reasons(report: Mapping[str, Any] | None) -> list[str]:
    """What the report found, a sentence each."""
    found = (report or {}).get("reasons") or []
    return [found_reason(str(one.get("code", "")), str(one.get("message", "")), LIMBS) for one in found]


@dataclass(frozen=True)
class Figure:
    """One figure of the report: its name, its value with the unit, and what it means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Section:
    """A part of the report; ``reason`` says why it was not measured."""

    title: str
    figures: list[Figure]
    reason: str


def report_sections(report: Mapping[str, Any] | None) -> list[Section]:
    """The report with each figure explained."""
    if not report:
        return []
    return [_section(name, report.get(name) or {}) for name in ("garment", "seam", "pose", "limbs", "outline")]


def _section(name: str, values: Mapping[str, Any]) -> Section:
    title, rows = _SECTIONS[name]
    if not values.get("measured", False):
        return Section(str(title), [], not_measured(values.get("reason") or "") or _("Not measured."))
    figures = [
        Figure(str(label), show(values[key]), str(meaning))
        for key, label, show, meaning in rows
        if values.get(key) is not None
    ]
    return Section(str(title), figures, "")


def _percent(value: float) -> str:
    """100 % is said only when every pixel is meant."""
    shown = f"{100 * value:.2f}"
    return "99.99 %" if shown == "100.00" and value < 1 else f"{shown.rstrip('0').rstrip('.')} %"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _difference(value: float) -> str:
    return f"{value:.1f} ΔE"


def _signed(value: float) -> str:
    return f"{100 * value:+.0f} %"


def _names(value: list[str]) -> str:
    return ", ".join(str(LIMBS.get(name, name)) for name in value) or _("none")


_SECTIONS: Mapping[str, Any] = {
    "garment": (lazy("Garment"), (
        ("locked_ratio", lazy("Pixels kept"), _percent,
         lazy("Share of the garment's inner pixels that are exactly the photo's.")),
        ("max_difference", lazy("Largest change"), str,
         lazy("Of one colour of one pixel, out of 255. 0 is untouched.")),
        ("coverage", lazy("Proven area"), _percent, lazy("How much of the garment that proof covers.")),
        ("pixels", lazy("Pixels compared"), _count, lazy("How many pixels were compared.")),
    )),
    "seam": (lazy("Seam"), (
        ("delta_e_mean", lazy("Colour drift"), _difference,
         lazy("Average colour difference along the garment's edge. Below 2 is hard to see; above 6 look closely.")),
        ("delta_e_p95", lazy("Worst drift"), _difference, lazy("The difference that 95 of 100 pixels stay below.")),
        ("step", lazy("Visible step"), _difference, lazy("How much harder the edge is than in the photo.")),
    )),
    "pose": (lazy("Pose"), (
        ("pck", lazy("Joints in place"), _percent, lazy("Share of joints that are where they were asked to be.")),
        ("oks", lazy("Likeness"), _percent, lazy("How alike the two poses are, by the measure of the COCO data set.")),
        ("joints", lazy("Joints compared"), _count, lazy("How many joints were found in both.")),
    )),
    "limbs": (lazy("Arms and legs"), (
        ("missing", lazy("Missing"), _names, lazy("Limbs that should show and were not found.")),
        ("extra", lazy("Too many"), _names, lazy("Skin where no limb should be.")),
    )),
    "outline": (lazy("Outline"), (
        ("iou", lazy("Overlap"), _percent, lazy("How far the garment's outline is that of the photo.")),
        ("sleeve_difference", lazy("Sleeves"), _signed, lazy("Longer (+) or shorter (−), in lengths of the arm.")),
        ("hem_difference", lazy("Hem"), _signed, lazy("Lower (+) or higher (−), in lengths of the torso.")),
    )),
}  # fmt: skip
