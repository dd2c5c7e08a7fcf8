"""What a set of training pictures is made of, as every room passes it around; no torch, no OpenCV."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from studio.errors import InputError

View = Literal["front", "side", "back", "unsure"]
Kind = Literal["garment", "prior"]
Severity = Literal["stop", "warn", "info"]

VIEWS: tuple[View, ...] = get_args(View)
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_REPEATS = 1000
MOST_PICTURES = 2000
# What kohya's layout is made of (folders.py): pictures, captions beside them, and our own record.
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
CAPTIONS = (".txt", ".caption")
RECORD = "dataset.json"
MOST_CAPTION = 1000  # characters
# One word that every tokenizer keeps together or spells out, and that is a file name on every system.
TRIGGER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
CLASS_WORD = re.compile(r"(?=.{1,40}$)[a-z]+(?:[ -][a-z]+)*")


@dataclass(frozen=True)
class Problem:
    """Something that the merchant should know before anything is spent.

    Attributes:
        code: stable, snake_case.
        message: what is wrong.
        remedy: what to do about it.
        severity: ``stop``: nothing starts; ``warn``: it will be worse for it; ``info``: good to know.
        pictures: indices of the pictures concerned, in the order they were given; empty: the whole set.
    """

    code: str
    message: str
    remedy: str
    severity: Severity
    pictures: tuple[int, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One picture of a set.

    Attributes:
        image: its file.
        mask: its garment's mask, an 8-bit grey picture of the same size, white is garment; None: none known.
        caption: its text, with the trigger word for a garment picture.
        view: which side of the wearer it shows.
        repeats: how often it is seen in one pass over the set.
        flip: mirroring it shows the same garment (no writing, no one-sided pocket).
        kind: ``garment``: learned; ``prior``: a regularisation picture, which the LoRA must leave as it is.
        held_out: never trained on; validation and similarity are measured on it.
    """

    image: Path
    mask: Path | None
    caption: str
    view: str = "unsure"
    repeats: int = 1
    flip: bool = True
    kind: Kind = "garment"
    held_out: bool = False

    def __post_init__(self) -> None:
        if self.view not in VIEWS or self.kind not in KINDS:
            raise InputError("entry_unknown_word", f"A picture's view is one of {VIEWS} and its kind one of {KINDS}.")
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise InputError(
                "repeats_out_of_range", f"A picture repeats 1 to {MOST_REPEATS} times, not {self.repeats}."
            )
        if len(self.caption) > MOST_CAPTION or any(ord(c) < 32 or ord(c) == 127 for c in self.caption):
            raise InputError("caption_invalid", f"A caption is one line of at most {MOST_CAPTION} characters.")


@dataclass(frozen=True)
class DataSet:
    """The pictures of one garment.

    Attributes:
        trigger: the word that means this garment, such as ``zkv17``.
        entries: garment pictures and regularisation pictures, in the order they were given.
        class_word: what kind of thing it is, such as ``coat``; regularisation pictures show others of it.
    """

    trigger: str
    entries: tuple[Entry, ...]
    class_word: str = "garment"

    def __post_init__(self) -> None:
        check_trigger(self.trigger)
        if not CLASS_WORD.fullmatch(self.class_word):
            said = "A class is one or a few words of small letters, such as coat or wide trousers"
            raise InputError("class_word_invalid", f"{said}; not {self.class_word[:40]!r}.")

    @property
    def trained(self) -> tuple[Entry, ...]:
        """What the LoRA learns from: garment pictures that are not held out."""
        return tuple(e for e in self.entries if e.kind == "garment" and not e.held_out)

    @property
    def held_out(self) -> tuple[Entry, ...]:
        """The garment pictures that are never trained on."""
        return tuple(e for e in self.entries if e.kind == "garment" and e.held_out)

    @property
    def prior(self) -> tuple[Entry, ...]:
        """The regularisation pictures."""
        return tuple(e for e in self.entries if e.kind == "prior")


def check_trigger(word: str) -> str:
    """The word itself, once it is known to be usable as a trigger.

    Raises:
        InputError: ``trigger_invalid``.
    """
    if not TRIGGER.fullmatch(word):
        said = "A trigger word is 1 to 32 small letters, digits and inner hyphens, such as zkv17"
        raise InputError("trigger_invalid", f"{said}; not {word[:40]!r}.")
    return word


def clean_caption(text: str) -> str:
    """One line with single spaces and no control characters.

    Raises:
        InputError: ``caption_invalid``: longer than 1000 characters.
    """
    line = " ".join("".join(c if ord(c) >= 32 and ord(c) != 127 else " " for c in text).split())
    if len(line) > MOST_CAPTION:
        raise InputError("caption_invalid", f"A caption is at most {MOST_CAPTION} characters; this one is {len(line)}.")
    return line
