"""What was seen in a set of photos, as it is stored and sent: plain values and their thresholds. No OpenCV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studio.dataset.captions import Language, Words
from studio.dataset.types import View
from studio.errors import InputError

Box = tuple[int, int, int, int]
BLURRED_BELOW = -1.2  # drawn and real sharp photos lie above -1.06, those blurred by 2 px in 768 below -1.5
SMALL_BELOW = 0.02  # of the picture
CUT_FROM, COVERED_FROM = 0.25, 0.22  # crossed bare arms cover a quarter
# Of what is usual in the set. With exact masks, drawn garments' own views lie at 0.80 and more, other garments at 0.62
# at most, the same in another colour at 0.54; another pattern in its own two colours, up to 0.87, is not always found.
# A proposed mask may hold bare arms, above all from the back and the side, and is given the benefit of the doubt.
STRANGE_BELOW, STRANGE_BELOW_PROPOSED = 0.7, 0.5


@dataclass(frozen=True)
class Garment:
    """What the catalog says of it; what is empty is looked for in the pictures.

    Attributes:
        category: a key of :data:`studio.dataset.captions.CATEGORIES`.
        colour, pattern, sleeve, length: words of :class:`studio.dataset.captions.Words`.
        wearer: ``woman`` or ``man``, where the shop knows.
        flip: mirroring it shows the same garment.
    """

    category: str
    colour: str = ""
    pattern: str = ""
    sleeve: str = ""
    length: str = ""
    wearer: str = ""
    flip: bool = True


@dataclass(frozen=True)
class Showing:
    """How a picture shows its garment; shares are 0..1.

    Attributes:
        share: of the picture that is garment.
        cut: of where cloth should be, or of the mask's outline, that the frame cuts off.
        covered: of where cloth should be, within the frame, that something else hides; None without landmarks.
    """

    share: float
    cut: float
    covered: float | None

    @property
    def small(self) -> bool:
        """Too little of the picture to learn from."""
        return self.share < SMALL_BELOW

    @property
    def is_cut(self) -> bool:
        """The frame takes away a part that matters."""
        return self.cut >= CUT_FROM

    @property
    def is_covered(self) -> bool:
        """Something stands before it."""
        return self.covered is not None and self.covered >= COVERED_FROM


@dataclass(frozen=True)
class CropProposal:
    """One person of a picture with several.

    Attributes:
        box: left, top, right, bottom in pixels of the picture.
        clean: nobody else reaches into it.
        likeness: how alike its garment is to those of the set, over what is usual there; None: can not be told.
        wanted: it shows the garment, as far as can be told.
    """

    box: Box
    clean: bool
    likeness: float | None
    wanted: bool


@dataclass(frozen=True)
class Picture:
    """What was seen in one photo.

    Attributes:
        index: its place among those given.
        size: (width, height) in pixels, upright.
        people: how many there are; 0: nobody was found (a flat lay, a mannequin before a busy background).
        view: front, side, back or unsure; guess: the likeliest where it is unsure.
        view_by: ``merchant`` or ``landmarks``.
        mask: the garment as a PNG, or None when none was found.
        mask_by: ``merchant`` or ``proposal``; empty without one.
        sharpness: :func:`studio.dataset.quality.sharpness`.
        showing: how much of the garment is seen; None without a mask.
        likeness: how alike its garment is to the others', over what is usual in the set: 1 is usual; None: can not be
            told from fewer than four pictures.
        words: what the caption is made of.
        caption: with the trigger word.
        crops: one for each person, when there are several.
        flip: mirroring shows the same garment.
    """

    index: int
    size: tuple[int, int]
    people: int
    view: View
    guess: View
    view_by: str
    mask: bytes | None
    mask_by: str
    sharpness: float
    showing: Showing | None
    likeness: float | None
    words: Words
    caption: str
    crops: tuple[CropProposal, ...]
    flip: bool

    @property
    def strange(self) -> bool:
        """It seems to show another garment than the rest of the set."""
        least = STRANGE_BELOW if self.mask_by == "merchant" else STRANGE_BELOW_PROPOSED
        return self.people <= 1 and self.likeness is not None and self.likeness < least


@dataclass(frozen=True)
class Refused:
    """A photo that could not be read, and why."""

    index: int
    code: str
    message: str


@dataclass(frozen=True)
class Inspection:
    """A whole set.

    Attributes:
        trigger: the garment's word.
        language: of the captions.
        category: the garment's.
        pictures: those that could be read, in order.
        refused: the others.
        duplicates: groups of indices that are one picture, or neighbours of a burst.
    """

    trigger: str
    language: Language
    category: str
    pictures: tuple[Picture, ...]
    refused: tuple[Refused, ...]
    duplicates: tuple[tuple[int, ...], ...]


def to_json(found: Inspection) -> dict[str, Any]:
    """The inspection without its masks, which are files of their own; :func:`from_json` reads it."""
    return asdict(found) | {"pictures": [asdict(one) | {"mask": one.mask is not None} for one in found.pictures]}


def from_json(stored: Mapping[str, Any]) -> Inspection:
    """An inspection as :func:`to_json` wrote it; a mask that was there is an empty one.

    Raises:
        InputError: ``inspection_invalid``.
    """
    try:
        return Inspection(
            stored["trigger"],
            stored["language"],
            stored["category"],
            tuple(_picture(row) for row in stored["pictures"]),
            tuple(Refused(**row) for row in stored["refused"]),
            tuple(tuple(group) for group in stored["duplicates"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("inspection_invalid", "This is no stored inspection. Look at the photos again.") from error


def _picture(row: Mapping[str, Any]) -> Picture:
    crops = tuple(CropProposal(**crop | {"box": tuple(crop["box"])}) for crop in row["crops"])
    showing = None if row["showing"] is None else Showing(**row["showing"])
    kept = {"size": tuple(row["size"]), "mask": b"" if row["mask"] else None, "showing": showing}
    return Picture(**{**row, **kept, "words": Words(**row["words"]), "crops": crops})
