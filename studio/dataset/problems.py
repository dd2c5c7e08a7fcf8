"""Everything that is wrong with a set, each with its remedy. Codes never change; a web process may import this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from studio.dataset.records import BLURRED_BELOW, Inspection, Picture
from studio.dataset.types import Problem, Severity

FEWEST, WANTED = 4, 7
SMALL_SCALE = 0.75  # a picture of fewer pixels than this, along each side, is enlarged for training

# code: severity, message, remedy
TEXTS: dict[str, tuple[Severity, str, str]] = {
    "too_few_pictures": (
        "stop",
        "There are too few pictures to learn a garment from.",
        "Add photos: seven do, four at least.",
    ),
    "few_pictures": ("warn", "There are fewer than seven pictures.", "Add photos from other sides and in other poses."),
    "several_people": ("warn", "More than one person is in the picture.", "Take the proposed crops instead of it."),
    "nobody_found": (
        "info",
        "No person or mannequin was made out.",
        "Nothing, if it is a flat lay; say which view it is.",
    ),
    "garment_not_found": (
        "warn",
        "No garment was found in the picture.",
        "Cut the garment out by hand, or leave it out.",
    ),
    "near_duplicates": ("warn", "These pictures are almost the same.", "Keep the sharpest of them."),
    "blurred": ("warn", "The picture is blurred.", "Take a sharper one, or leave it out."),
    "low_resolution": ("warn", "The picture has fewer pixels than it is trained at.", "Upload the original file."),
    "garment_small": ("warn", "The garment is a small part of the picture.", "Crop the picture closer to the garment."),
    "garment_cut": (
        "warn",
        "The frame cuts off a part of the garment.",
        "Use a photo with all of it, or leave it out.",
    ),
    "garment_covered": (
        "warn",
        "Arms, hair or something else hide a part of the garment.",
        "Use a photo without, or leave it out.",
    ),
    "wrong_garment": ("warn", "This seems to be another garment than in the other pictures.", "Take it out if it is."),
    "view_unsure": ("info", "Front, side or back could not be told.", "Say which it is."),
    "no_front": ("warn", "No picture shows the front.", "Add one, or say of a picture that it is one."),
    "no_side": ("info", "No picture shows a side.", "Add one if side views are wanted."),
    "no_back": ("info", "No picture shows the back.", "Add one if back views are wanted."),
    "no_held_out": (
        "warn",
        "No picture can be spared to judge the training by.",
        "Add photos: with seven, one is held out.",
    ),
    "trigger_missing": (
        "stop",
        "The trigger word is not in the caption.",
        "Put it in: all captions can be edited at once.",
    ),
    "trigger_is_a_word": (
        "warn",
        "The trigger is a word that the engine knows already.",
        "Choose one without a meaning.",
    ),
    "trigger_unreadable": (
        "stop",
        "The engine's tokenizer can not spell the trigger word.",
        "Choose letters and digits.",
    ),
    "caption_too_long": (
        "warn",
        "The caption is longer than the text encoder reads.",
        "Shorten it: its end is cut off.",
    ),
    "crop_wasteful": (
        "info",
        "More than a fifth of the picture falls outside of its bucket.",
        "Crop it to a more usual shape.",
    ),
}


def problem(code: str, pictures: Iterable[int] = ()) -> Problem:
    """The problem of that code with its texts."""
    severity, message, remedy = TEXTS[code]
    return Problem(code, message, remedy, severity, tuple(pictures))


def of_pictures(found: Inspection, chosen: Sequence[Picture], *, area: int) -> Iterator[Problem]:
    """What is wrong with single pictures, one problem for each kind.

    Args:
        found: the whole inspection.
        chosen: the pictures that are to be trained on.
        area: pixels of the size it is trained at.
    """
    kept = {one.index for one in chosen}
    for refused in found.refused:
        yield Problem(refused.code, refused.message, "Upload it again, or leave it out.", "stop", (refused.index,))
    for code, indices in _kinds(chosen, area):
        if indices:
            yield problem(code, indices)
    for group in found.duplicates:
        both = [index for index in group if index in kept]
        if len(both) > 1:
            yield problem("near_duplicates", both)


def _kinds(chosen: Sequence[Picture], area: int) -> Iterator[tuple[str, list[int]]]:
    tests: dict[str, Callable[[Picture], bool]] = {
        "several_people": lambda p: p.people > 1,
        "nobody_found": lambda p: p.people == 0,
        "garment_not_found": lambda p: p.mask is None,
        "blurred": lambda p: p.sharpness < BLURRED_BELOW,
        "low_resolution": lambda p: p.size[0] * p.size[1] < SMALL_SCALE**2 * area,
        "garment_small": lambda p: p.showing is not None and p.showing.small,
        "garment_cut": lambda p: p.showing is not None and p.showing.is_cut,
        "garment_covered": lambda p: p.showing is not None and p.showing.is_covered,
        "wrong_garment": lambda p: p.strange,
        "view_unsure": lambda p: p.view == "unsure",
    }
    for code, test in tests.items():
        yield code, [one.index for one in chosen if test(one)]


def of_the_set(chosen: Sequence[Picture], trained: Sequence[Picture]) -> Iterator[Problem]:
    """What is wrong with all of them together; a side is learned only from a picture that is trained on."""
    if len(chosen) < FEWEST:
        yield problem("too_few_pictures")
    elif len(chosen) < WANTED:
        yield problem("few_pictures")
    views = {one.view for one in trained}
    for view in ("front", "side", "back"):
        if view not in views:
            yield problem(f"no_{view}")
