"""Captions: written from what is known of a picture, and edited singly or many at once. Plain text in, plain text out;
a web process may import this.

Two languages. ``mini``: the phrases that the bundled text encoder was trained on, in their order, and nothing else
(:mod:`studio.mini.world.spec`); ``english``: free English, for Stable Diffusion. The trigger word stands before the
garment, so that it takes up what the garment's other words do not say: what it is to mean is therefore left unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from studio.dataset.types import VIEWS, check_trigger, clean_caption
from studio.errors import InputError

Language = Literal["mini", "english"]

# The catalog's categories (catalog/models.py) in the words of each language, and which part of the body they cover.
CATEGORIES: dict[str, tuple[str, str, str]] = {
    "top": ("t-shirt", "top", "upper"),
    "shirt": ("shirt", "shirt", "upper"),
    "sweater": ("sweater", "sweater", "upper"),
    "jacket": ("coat", "jacket", "upper"),
    "coat": ("coat", "coat", "upper"),
    "dress": ("dress", "dress", "full"),
    "skirt": ("skirt", "skirt", "lower"),
    "trousers": ("trousers", "trousers", "lower"),
    "suit": ("coat", "suit", "full"),
    "other": ("t-shirt", "garment", "full"),
    "t-shirt": ("t-shirt", "t-shirt", "upper"),
    "wide trousers": ("wide trousers", "wide trousers", "lower"),
    "shorts": ("shorts", "shorts", "lower"),
    "pleated skirt": ("pleated skirt", "pleated skirt", "lower"),
    "mamianqun": ("mamianqun", "mamianqun skirt", "lower"),
}
SLEEVED = ("top", "t-shirt", "dress")
LONG = ("dress", "skirt", "pleated skirt")
CROPS = {"full": "full body photo", "knee": "knee up photo", "waist": "waist up photo"}


@dataclass(frozen=True)
class Words:
    """What is known of one picture; an empty string: unknown.

    Attributes:
        category: a key of :data:`CATEGORIES`.
        colour, second: colour names; ``second`` only with a pattern.
        pattern: plain, striped, pinstriped, checked, dotted or floral.
        sleeve: none, short or long.
        length: short, knee or long.
        other: the other garment in view, as a phrase: ``"navy trousers"``.
        wearer: as a phrase: ``"a woman with light skin and short brown hair"``.
        pose: as a phrase: ``"hands on hips"``.
        view: front, side, back or unsure.
        scene: as a phrase: ``"white studio"``.
        crop: full, knee or waist.
        said: what a captioner said of it, without the garment.
    """

    category: str
    colour: str = ""
    second: str = ""
    pattern: str = ""
    sleeve: str = ""
    length: str = ""
    other: str = ""
    wearer: str = ""
    pose: str = ""
    view: str = "unsure"
    scene: str = ""
    crop: str = ""
    said: str = ""

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES or self.view not in VIEWS:
            known = ", ".join(CATEGORIES)
            raise InputError("category_unknown", f"There is no category {self.category!r}. Choose one of: {known}.")


def covered(category: str) -> str:
    """Which proposal shows a garment of that category: upper, lower or full.

    Raises:
        InputError: ``category_unknown``.
    """
    return CATEGORIES[Words(category).category][2]


def class_word(category: str, language: Language) -> str:
    """What a garment of that category is called: kohya's class, and the caption's noun."""
    return CATEGORIES[Words(category).category][0 if language == "mini" else 1]


def caption(words: Words, *, trigger: str, language: Language) -> str:
    """The picture in words, with the trigger word.

    Raises:
        InputError: ``trigger_invalid``.
    """
    check_trigger(trigger)
    return clean_caption(_mini(words, trigger) if language == "mini" else _english(words, trigger))


def _mini(words: Words, trigger: str) -> str:
    """As :attr:`studio.mini.world.spec.Spec.caption`, unknown facts filled with the commonest of the world."""
    view = {"side": "side view", "back": "back view"}.get(words.view, "front view")
    worn = f"{trigger} {garment(words, language='mini')}" + (f" and {words.other}" if words.other else "")
    who = words.wearer or "a woman with light skin and long brown hair"
    how = f"{words.pose or 'standing'}, {view}, {words.scene or 'white studio'}"
    return f"{CROPS.get(words.crop, CROPS['full'])} of {who} wearing {worn}, {how}"


def _english(words: Words, trigger: str) -> str:
    view = {"front": "front view", "side": "side view", "back": "back view"}.get(words.view, "")
    worn = f"{trigger} {garment(words, language='english')}" + (f" and {words.other}" if words.other else "")
    start = f"{CROPS.get(words.crop, 'photo')} of {words.wearer or 'a person'} wearing {worn}"
    return ", ".join(part for part in (start, words.pose, view, words.scene, words.said) if part)


def garment(words: Words, *, language: Language) -> str:
    """The garment's own words, e.g. ``"navy striped short sleeved t-shirt"``; English names both colours.

    The noun alone where nothing else is known: what is not there is not filled with the world's commonest.
    """
    noun = class_word(words.category, language)
    if words == without_details(words):
        return noun
    pattern = "" if words.pattern in ("", "plain") else words.pattern
    colour = words.colour
    if language == "english" and pattern and words.second and words.second != colour:
        colour = f"{colour} and {words.second}"
    parts = (colour, pattern, _sleeve(words, language, noun), _length(words, language, noun), noun)
    return " ".join(part for part in parts if part)


def _sleeve(words: Words, language: Language, noun: str) -> str:
    if language == "mini" and noun not in SLEEVED:
        return ""
    sleeve = words.sleeve or ("short" if language == "mini" else "")
    return "sleeveless" if sleeve == "none" else f"{sleeve} sleeved" if sleeve else ""


def _length(words: Words, language: Language, noun: str) -> str:
    if noun not in LONG:
        return ""
    length = words.length or ("knee" if language == "mini" else "")
    return f"{length} length" if language == "english" and length == "knee" else length


# Editing. Each takes captions and gives as many back, in their order; ``only`` are indices, None means all.


def add(captions: Sequence[str], words: str, *, only: Iterable[int] | None = None) -> tuple[str, ...]:
    """Put words at the end of each, after a comma, unless they are there already.

    Raises:
        InputError: ``caption_invalid``, ``caption_index_invalid``; so do the others.
    """
    added = _asked(words)
    return _each(captions, lambda text: text if _holds(text, added) else f"{text}, {added}" if text else added, only)


def prefix(captions: Sequence[str], words: str, *, only: Iterable[int] | None = None) -> tuple[str, ...]:
    """Put words at the start of each, unless it starts so already."""
    put = _asked(words)

    def edit(text: str) -> str:
        return text if re.match(_pattern(put), text, re.IGNORECASE) else f"{put}, {text}" if text else put

    return _each(captions, edit, only)


def remove(captions: Sequence[str], words: str, *, only: Iterable[int] | None = None) -> tuple[str, ...]:
    """Take words out wherever they stand as whole words, and the comma that is left over."""
    gone = _pattern(_asked(words))
    return _each(captions, lambda text: _tidy(re.sub(gone, "", text, flags=re.IGNORECASE)), only)


def replace_words(captions: Sequence[str], old: str, new: str, *, only: Iterable[int] | None = None) -> tuple[str, ...]:
    """Put ``new`` wherever ``old`` stands as whole words; an empty ``new`` removes."""
    pattern, put = _pattern(_asked(old)), clean_caption(new)
    return _each(captions, lambda text: _tidy(re.sub(pattern, lambda _: put, text, flags=re.IGNORECASE)), only)


def with_trigger(captions: Sequence[str], trigger: str) -> tuple[str, ...]:
    """The trigger word in each: at the start where somebody took it out or never wrote it."""
    return prefix(captions, check_trigger(trigger), only=[i for i, c in enumerate(captions) if not _holds(c, trigger)])


def triggers_missing(captions: Sequence[str], trigger: str) -> tuple[int, ...]:
    """Indices of the captions that do not hold the trigger as a word of its own."""
    return tuple(i for i, text in enumerate(captions) if not _holds(text, trigger))


def _each(captions: Sequence[str], edit: Callable[[str], str], only: Iterable[int] | None) -> tuple[str, ...]:
    chosen = set(range(len(captions)) if only is None else only)
    if not chosen <= set(range(len(captions))):
        raise InputError("caption_index_invalid", f"There are {len(captions)} captions; one of those asked is none.")
    return tuple(clean_caption(edit(text)) if i in chosen else text for i, text in enumerate(captions))


def _asked(words: str) -> str:
    cleaned = clean_caption(words).strip(" ,")
    if not cleaned:
        raise InputError("caption_invalid", "Say which words.")
    return cleaned


def _pattern(words: str) -> str:
    """The words as whole words, however many spaces part them: "red" is not in "bored", "t-shirt" is one word."""
    return r"(?<![\w-])" + r"\s+".join(re.escape(word) for word in words.split()) + r"(?![\w-])"


def _holds(text: str, words: str) -> bool:
    return re.search(_pattern(words), text, re.IGNORECASE) is not None


def _tidy(text: str) -> str:
    """No comma without words before it, no two in a row, no space before one."""
    parts = (" ".join(part.split()) for part in text.split(","))
    return ", ".join(part for part in parts if part)


def without_details(words: Words) -> Words:
    """Only the noun is left of the garment: colour, pattern and cut are then the trigger word's alone to mean."""
    return replace(words, colour="", second="", pattern="", sleeve="", length="")
