"""What the worker's codes mean, in the merchant's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from imodel_site.lib.studio_words import in_english, sentence

# The executor's stages; "" before the first one.
STAGES: Mapping[str, Any] = {
    "": lazy("Waiting for its turn"),
    "waiting": lazy("Waiting for its turn"),
    "pictures": lazy("Looking at the pictures"),
    "weights": lazy("Getting the studio ready"),
    "caching": lazy("Reading the pictures"),
    "training": lazy("Learning"),
    "checking": lazy("Checking the file"),
    "packing": lazy("Packing the pictures"),
    "unpacking": lazy("Taking the pictures out"),
    "painting": lazy("Painting"),
    "storing": lazy("Putting everything away"),
}


def stage(code: str) -> str:
    """A stage as a merchant reads it."""
    return str(STAGES.get(code) or _("Working"))


FAILURES: Mapping[str, Any] = {
    "photo_rejected": lazy("A photo was removed by moderation. Leave it out of the set, then start again."),
    "input_gone": lazy("A picture of this set was deleted before it began. Put the set together anew."),
    "not_finite": lazy(
        "The training became unstable, so it was ended. Start a new one with a smaller learning rate, or a quick one; "
        "if it stays so, tell whoever runs the studio."
    ),
    "mask_empty": lazy("A mask marks nothing of its picture. Mark the garment, or leave the picture out."),
    "picture_unreadable": lazy("A picture of the set can not be read. Leave it out, or save it anew."),
    "out_of_memory": lazy(
        "The device ran out of memory. Try again later; if it stays so, tell whoever runs the studio."
    ),
    "weights_missing": lazy("The studio's weights are not installed. Whoever runs it must fetch them."),
    "disk_full": lazy("There was no room. Nothing was charged; try again later."),
    "storage_unavailable": lazy("The files could not be put away. Try again in a minute."),
    "adapter_not_for_family": lazy("This adapter was made for other weights, so it can not be used here."),
    "adapter_base_unknown": lazy("This adapter was made for weights that we do not have, so it can not be used here."),
    "adapter_layout_unknown": lazy("This file has names that we do not know. Export it as a plain LoRA."),
    "start_not_for_plan": lazy(
        "The version to begin from changes more than this training would. Begin anew, or with a larger rank."
    ),
    "adapter_kind_unsupported": lazy("This is another kind of adapter; only plain LoRA is taken."),
    "adapter_rank_too_large": lazy("The adapter's rank is above 128. Export it with a lower one."),
    "archive_damaged": lazy("This is no zip that can be read. Pack it again."),
    "archive_name_refused": lazy("The zip holds a name or a link that could lead elsewhere. Pack it again."),
    "archive_too_large": lazy("The zip unpacks to more than is taken. Split the set."),
    "archive_encrypted": lazy("The zip is encrypted. Pack it without a password."),
    "dataset_empty": lazy("The zip holds no picture in a folder such as '10_zkv17 coat'."),
    "dataset_too_large": lazy("The zip holds more pictures than a set may have. Leave some out."),
    "dataset_triggers_differ": lazy("The folders of the zip name several trigger words. Split the set."),
    "dataset_record_invalid": lazy("The zip's dataset.json is not one of ours. Remove it, and names will do."),
    "trigger_invalid": lazy("The zip's trigger word is none: small letters, digits and inner hyphens, such as zkv17."),
    "set_empty": lazy("There is no picture left in the set."),
    "quota_full": lazy("Your storage is full. Delete photos, pictures or adapters you no longer need."),
    "internal_error": lazy("Something went wrong on our side. It was written down; try again."),
}


def failure(code: str, message: str) -> str:
    """Why it failed."""
    return str(FAILURES.get(code) or sentence(code, message) or FAILURES["internal_error"])


# The log in plain words; {name} is filled in from what was told along.
NOTES: Mapping[str, Any] = {
    "loading": lazy("The studio reads its weights."),
    "caching": lazy("All {of} pictures are prepared."),
    "caption_cut": lazy("Captions longer than the text encoder reads, so that their ends are left out: {pictures}."),
    "resumed": lazy("The training goes on from step {step}; nothing before it was lost."),
    "gradient_checkpointing": lazy("Memory is short: from step {step} on some things are computed twice to save room."),
    "begun": lazy("It begins with what an earlier version has learned."),
    "cancelled": lazy("It was stopped at step {step}, and a checkpoint was saved."),
}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def note(code: str, params: Mapping[str, Any]) -> str:
    """A line of the log; an unknown code is shown as it is, for nothing may be hidden."""
    text = NOTES.get(code)
    params = {name: len(value) if isinstance(value, list) else value for name, value in params.items()}
    return code.replace("_", " ") if text is None else str(text).format_map(_Blank(params))


def problem(found: Mapping[str, Any]) -> dict[str, Any]:
    """A problem that a check found, in the reader's language; what the table lacks is said as the studio says it."""
    said, remedy = PROBLEMS.get(found["code"], (found["message"], found["remedy"]))
    if in_english():
        said, remedy = found["message"], found["remedy"]
    return {**found, "message": str(said), "remedy": str(remedy), "pictures": list(found.get("pictures") or ())}


# What a check finds, with its remedy: studio.dataset.problems, word for word (a test compares them).
PROBLEMS: Mapping[str, tuple[Any, Any]] = {
    "too_few_pictures": (
        lazy("There are too few pictures to learn a garment from."),
        lazy("Add photos: seven do, four at least."),
    ),
    "few_pictures": (
        lazy("There are fewer than seven pictures."),
        lazy("Add photos from other sides and in other poses."),
    ),
    "several_people": (
        lazy("More than one person is in the picture."),
        lazy("Take the proposed crops instead of it."),
    ),
    "nobody_found": (
        lazy("No person or mannequin was made out."),
        lazy("Nothing, if it is a flat lay; say which view it is."),
    ),
    "garment_not_found": (
        lazy("No garment was found in the picture."),
        lazy("Cut the garment out by hand, or leave it out."),
    ),
    "near_duplicates": (lazy("These pictures are almost the same."), lazy("Keep the sharpest of them.")),
    "blurred": (lazy("The picture is blurred."), lazy("Take a sharper one, or leave it out.")),
    "low_resolution": (
        lazy("The picture has fewer pixels than it is trained at."),
        lazy("Upload the original file."),
    ),
    "garment_small": (
        lazy("The garment is a small part of the picture."),
        lazy("Crop the picture closer to the garment."),
    ),
    "garment_cut": (
        lazy("The frame cuts off a part of the garment."),
        lazy("Use a photo with all of it, or leave it out."),
    ),
    "garment_covered": (
        lazy("Arms, hair or something else hide a part of the garment."),
        lazy("Use a photo without, or leave it out."),
    ),
    "wrong_garment": (
        lazy("This seems to be another garment than in the other pictures."),
        lazy("Take it out if it is."),
    ),
    "view_unsure": (lazy("Front, side or back could not be told."), lazy("Say which it is.")),
    "no_front": (
        lazy("No picture shows the front."),
        lazy("Add one, or say of a picture that it is one."),
    ),
    "no_side": (lazy("No picture shows a side."), lazy("Add one if side views are wanted.")),
    "no_back": (lazy("No picture shows the back."), lazy("Add one if back views are wanted.")),
    "no_held_out": (
        lazy("No picture can be spared to judge the training by."),
        lazy("Add photos: with seven, one is held out."),
    ),
    "trigger_missing": (
        lazy("The trigger word is not in the caption."),
        lazy("Put it in: all captions can be edited at once."),
    ),
    "trigger_is_a_word": (
        lazy("The trigger is a word that the engine knows already."),
        lazy("Choose one without a meaning."),
    ),
    "trigger_unreadable": (
        lazy("The engine's tokenizer can not spell the trigger word."),
        lazy("Choose letters and digits."),
    ),
    "caption_too_long": (
        lazy("The caption is longer than the text encoder reads."),
        lazy("Shorten it: its end is cut off."),
    ),
    "crop_wasteful": (
        lazy("More than a fifth of the picture falls outside of its bucket."),
        lazy("Crop it to a more usual shape."),
    ),
}
REASONS: Mapping[str, Any] = {
    "highest_similarity": lazy("Its samples are the most like the garment on pictures it never saw."),
    "lowest_validation": lazy("It does best on the pictures that were held back."),
    "best_of_both": lazy("It is the best of both measures together, though of neither alone."),
    "earliest_of_equals": lazy("Later ones are no better, and what trained less is bent less."),
    "only_checkpoint": lazy("It is the only checkpoint."),
    "nothing_to_judge_by": lazy("Nothing was held back to judge by, so the last one is taken."),
}
SIGNS: Mapping[str, Any] = {
    "validation_rises": lazy("the pictures held back are learned worse again"),
    "similarity_falls": lazy("the samples become less like the garment"),
    "copies_training_pictures": lazy("the samples copy the pictures it learned from"),
}
FLAGS: Mapping[str, Any] = {
    "loss_line_reached": lazy("The loss came below the line of 0.07, which some take for a sign of enough training."),
    "loss_line_not_reached": lazy(
        "The loss stayed above the line of 0.07. That alone is nothing bad: the line is no judge."
    ),
    "still_improving": lazy("The last checkpoint is the best one: more steps may help."),
    "no_held_out_pictures": lazy("No picture was held back, so nothing says how it does on pictures it never saw."),
    "no_similarity": lazy(
        "Likeness was not measured: no mask says where the garment is, or it was stopped before a sample was painted."
    ),
}


def reasons(choice: Mapping[str, Any]) -> list[str]:
    """Why the studio chose a checkpoint, a sentence each."""
    return _sentences(REASONS, choice.get("reasons"))


def flags(choice: Mapping[str, Any]) -> list[str]:
    """What is worth knowing besides."""
    return _sentences(FLAGS, choice.get("flags"))


def overtrained(choice: Mapping[str, Any]) -> str:
    """That it went on for too long; empty when it did not."""
    since = choice.get("overtrained_from")
    if since is None:
        return ""
    signs = _(", ").join(_sentences(SIGNS, choice.get("signs")))
    return _("From step %(step)d on it was trained too long: %(signs)s.") % {"step": since, "signs": signs}


def _sentences(table: Mapping[str, Any], codes: Any) -> list[str]:
    return [str(table.get(code, code)) for code in codes or ()]


def minutes(seconds: float | None) -> str:
    """A duration as people say it; empty when nobody knows."""
    if seconds is None:
        return ""
    if seconds < 90:
        return _("about %(n)d s") % {"n": max(1, round(seconds))}
    return _("about %(n)d min") % {"n": round(seconds / 60)}
