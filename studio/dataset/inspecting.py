"""A set of garment photos looked at: what each shows, what is wrong with it, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.dataset import captioner, facts, hidden, people, quality, views
from studio.dataset.captions import Language, Words, caption, covered, without_details
from studio.dataset.naming import Cloth, cloth_of
from studio.dataset.records import STRANGE_BELOW_PROPOSED, CropProposal, Garment, Inspection, Picture, Refused
from studio.dataset.strangers import likenesses
from studio.dataset.types import VIEWS, View, check_trigger
from studio.errors import InputError
from studio.images import open_photo
from studio.lora.similarity import LEAST_PIXELS, Look, look
from studio.pose.detect import PoseDetector
from studio.segmentation.mask_files import encode_mask, read_mask
from studio.segmentation.masks import Mask
from studio.segmentation.proposals import Part, Proposals, propose

MOST_PHOTOS = 500


@dataclass(frozen=True)
class Photo:
    """A photo as it was given.

    Attributes:
        path: a picture from outside, or its bytes.
        mask: its garment, of the upright photo's size; None: proposed.
        view: what the merchant says it shows; None: looked for.
    """

    path: Path | bytes
    mask: Path | bytes | None = None
    view: View | None = None

    def __post_init__(self) -> None:
        if self.view is not None and self.view not in VIEWS:
            raise InputError("view_unknown", f"There is no view {self.view!r}. Choose one of: {', '.join(VIEWS)}.")


@dataclass(frozen=True)
class Tools:
    """What looks; resident ones, given by the caller."""

    detector: PoseDetector
    faces: people.FaceFinder | None = None
    describer: captioner.Describer | None = None


def inspect_set(
    photos: Sequence[Photo],
    garment: Garment,
    *,
    trigger: str,
    language: Language,
    tools: Tools,
    details: bool = False,
    on_photo: Callable[[int], None] | None = None,
) -> Inspection:
    """Look at every photo of a garment.

    Args:
        photos: 1 to 500.
        garment: what is known of it.
        trigger: the word that will mean it.
        language: ``mini`` for the bundled family, else ``english``.
        tools: see :class:`Tools`.
        details: whether captions say the garment's colour, pattern and cut; otherwise these are the trigger's to mean,
            and what a prompt calls the garment (trigger and noun) is what the captions called it.
        on_photo: called before each photo with its index; may raise to stop.

    Raises:
        InputError: ``dataset_empty``, ``dataset_too_large``, ``trigger_invalid``, ``category_unknown``. A photo that
            can not be read is told in ``refused`` instead.
    """
    check_trigger(trigger)
    part = covered(garment.category)
    if not 1 <= len(photos) <= MOST_PHOTOS:
        code = "dataset_empty" if not photos else "dataset_too_large"
        raise InputError(code, f"A set has 1 to {MOST_PHOTOS} photos, not {len(photos)}.")
    seen: list[_Seen] = []
    refused: list[Refused] = []
    for index, photo in enumerate(photos):
        if on_photo is not None:
            on_photo(index)
        try:
            seen.append(_see(index, photo, garment, part, language, tools))
        except InputError as error:
            refused.append(Refused(index, error.code, error.message))
    pictures = _captioned(seen, garment, trigger=trigger, language=language, details=details)
    groups = quality.duplicates([one.print for one in seen])
    named = tuple(tuple(seen[i].picture.index for i in group) for group in groups)
    return Inspection(trigger, language, garment.category, pictures, tuple(refused), named)


@dataclass(frozen=True)
class _Seen:
    """A picture before it is compared with the others."""

    picture: Picture
    print: quality.Print
    look: Look | None
    crop_looks: tuple[Look | None, ...]


def _see(index: int, photo: Photo, garment: Garment, part: str, language: Language, tools: Tools) -> _Seen:
    image = open_photo(photo.path)
    found = people.find_people(image, tools.detector, tools.faces)
    main = next((one for one in found if one.pose is not None), found[0] if found else None)
    mask, proposals = _garment(image, photo, main, part)
    stance = _stance(image, main, tools)
    said = photo.view if photo.view != "unsure" else None
    view, by = (said, "merchant") if said else (stance.view if stance else "unsure", "landmarks")
    crops = people.crops_of(found, image.size) if len(found) > 1 else ()
    picture = Picture(
        index=index, size=image.size, people=len(found), view=view, guess=stance.guess if stance else view, view_by=by,
        mask=None if mask is None else encode_mask(mask),
        mask_by="" if mask is None else "merchant" if photo.mask is not None else "proposal",
        sharpness=quality.sharpness(image, main.mask if main else mask),
        showing=None if mask is None else hidden.showing(mask, main.pose if main else None, part=part),
        likeness=None, words=_words(image, main, mask, proposals, stance, view, garment, part, language, tools),
        caption="", crops=tuple(CropProposal(one.box, one.clean, None, one.clean) for one in crops), flip=garment.flip,
    )  # fmt: skip
    looks = tuple(_crop_look(image.crop(one.box), part, tools) for one in crops)
    return _Seen(picture, quality.print_of(image), _look(image, mask), looks)


def _garment(image: Image.Image, photo: Photo, main: people.Person | None, part: str) -> tuple[Mask | None, Proposals]:
    """The garment's mask, the merchant's own before a proposal, and what else is worn."""
    pose = main.pose if main else None
    soft = main.mask.astype(np.float32) if main and main.pose is not None else None
    proposals = propose(image, pose=pose, person_mask=soft)
    if photo.mask is not None:
        return read_mask(photo.mask, size=image.size), proposals
    for wanted in (Part(part), Part.FULL):
        if wanted in proposals:
            return proposals[wanted].mask, proposals
    return None, proposals


def _stance(image: Image.Image, main: people.Person | None, tools: Tools) -> views.Stance | None:
    if main is None or main.pose is None:
        return None
    seen = people.face_seen(main, np.asarray(image.convert("RGB")), tools.faces) if tools.faces else None
    return views.stance_of(main.pose, main.mask, face=seen)


def _words(
    image: Image.Image, main: people.Person | None, mask: Mask | None, proposals: Proposals,
    stance: views.Stance | None, view: View, garment: Garment, part: str, language: Language, tools: Tools,
) -> Words:  # fmt: skip
    said = captioner.taken(tools.describer.describe([image])[0]) if tools.describer else captioner.Said("", "")
    cloth = cloth_of(image, mask) if mask is not None else None
    pose = main.pose if main else None
    person = main.mask if main else mask if mask is not None else np.zeros((image.height, image.width), np.bool_)
    worn = mask if mask is not None else np.zeros_like(person)
    headless = stance.headless if stance else False
    who = facts.wearer_words(image, pose, person, worn, headless=headless)
    name = garment.wearer or said.wearer or ("woman" if language == "mini" else "")
    return Words(
        category=garment.category,
        colour=garment.colour or (cloth.colour if cloth else ""),
        second=cloth.second if cloth else "",
        pattern=garment.pattern or _pattern(cloth, language),
        sleeve=garment.sleeve or (facts.sleeve_of(worn, pose) if part != "lower" else ""),
        length=garment.length or facts.length_of(worn, pose),
        other=facts.other_words(image, proposals, worn, part=part),
        wearer=facts.named(who, name) if who or name else "",
        pose=stance.pose if stance else "",
        view=view,
        scene=facts.scene_words(image, person, language=language),
        crop=stance.crop if stance else "",
        said=said.where,
    )  # fmt: skip


def _pattern(cloth: Cloth | None, language: Language) -> str:
    """In photographs only stripes are believed: folds, pockets and badges pass for checks and flowers."""
    if cloth is None or (language == "english" and cloth.pattern not in ("striped", "pinstriped")):
        return ""
    return cloth.pattern


def _look(image: Image.Image, mask: Mask | None) -> Look | None:
    if mask is None or np.count_nonzero(mask) < LEAST_PIXELS:
        return None
    return look(image, mask)


def _crop_look(crop: Image.Image, part: str, tools: Tools) -> Look | None:
    """The garment of one of several people, looked at in their own crop."""
    if min(crop.size) < 32:
        return None
    found = tools.detector.detect(crop)
    pose, soft = (found.pose, found.person_mask) if found else (None, None)
    proposals = propose(crop, pose=pose, person_mask=soft)
    for wanted in (Part(part), Part.FULL):
        if wanted in proposals:
            return _look(crop, proposals[wanted].mask)
    return None


def _captioned(
    seen: Sequence[_Seen], garment: Garment, *, trigger: str, language: Language, details: bool
) -> tuple[Picture, ...]:
    """Likeness and caption of each, once all have been seen; the set agrees on what the garment is made of."""
    single = [one.look if one.picture.people <= 1 else None for one in seen]
    likeness = likenesses(single)
    agreed = _agreed([one.picture for one in seen], likeness, garment)
    pictures = []
    for one, like in zip(seen, likeness, strict=True):
        words = replace(one.picture.words, **agreed)
        crops = tuple(_judged(crop, own, single) for crop, own in zip(one.picture.crops, one.crop_looks, strict=True))
        said = caption(words if details else without_details(words), trigger=trigger, language=language)
        pictures.append(replace(one.picture, words=words, likeness=like, crops=crops, caption=said))
    return tuple(pictures)


def _judged(crop: CropProposal, own: Look | None, single: Sequence[Look | None]) -> CropProposal:
    like = likenesses([*single, own])[-1] if own is not None else None
    return replace(crop, likeness=like, wanted=crop.clean and (like is None or like >= STRANGE_BELOW_PROPOSED))


def _agreed(pictures: Sequence[Picture], likeness: Sequence[float | None], garment: Garment) -> Mapping[str, Any]:
    """One garment has one colour, pattern, sleeve and length: what most pictures say, those of one person first."""
    sure = [p.words for p, like in zip(pictures, likeness, strict=True)
            if p.people <= 1 and p.mask is not None and (like is None or like >= STRANGE_BELOW_PROPOSED)]  # fmt: skip
    of = sure or [p.words for p in pictures]
    agreed = {name: _most([getattr(words, name) for words in of]) for name in ("pattern", "sleeve", "length")}
    patterned = [words for words in of if words.pattern == agreed["pattern"]] or of
    pair = _most_pair([(words.colour, words.second) for words in patterned])
    return {**agreed, "colour": garment.colour or pair[0], "second": pair[1] if agreed["pattern"] != "plain" else ""}


def _most(said: Sequence[str]) -> str:
    known = [word for word in said if word]
    return max(sorted(set(known)), key=known.count) if known else ""


def _most_pair(said: Sequence[tuple[str, str]]) -> tuple[str, str]:
    known = [pair for pair in said if pair[0]]
    return max(sorted(set(known)), key=known.count) if known else ("", "")
