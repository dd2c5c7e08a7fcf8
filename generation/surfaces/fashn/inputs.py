"""What ``/v1/run`` takes: FASHN's model names with their inputs, read and checked (docs/fashn.md has the table)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from generation.orders import SEEDS
from imodel_site.lib.errors import Refused

SEED = 42  # FASHN's own, where none is sent
MOST_PICTURES = 4
LONGEST_PROMPT = 500
SAVED = "saved:"  # a model_image of this form names a persona


class How(StrEnum):
    """Which of our ways a model name takes."""

    WORN = "worn"  # somebody wears the garment of the picture
    SWAP = "swap"  # somebody else wears what the person of the picture wears
    SCENE = "scene"  # the person and the garment stay, what is behind them is new
    WORDS = "words"  # from words alone
    VARY = "vary"  # a picture near one
    FACE = "face"  # a body for a face
    EDIT = "edit"  # words, over a picture or a part of it
    REFRAME = "reframe"  # more around a picture
    CUTOUT = "cutout"  # the person, on nothing


# These become a shoot from a photo, whose frame is 2:3; the others are painted as the expert's are.
OF_A_PHOTO = (How.WORN, How.SWAP, How.SCENE)


class BadInput(Refused):
    """An input is missing, unknown or out of its range."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__("input_invalid", message, field=field)


@dataclass(frozen=True)
class Model:
    """One of FASHN's model names: the inputs that it needs, and those that it takes besides the common ones."""

    how: How
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.needs, *self.takes, *COMMON)


COMMON = ("seed", "output_format", "return_base64")
_NEWER = ("prompt", "aspect_ratio", "generation_mode", "resolution", "num_images")
_TRYON = ("category", "garment_photo_type", "mode", "moderation_level", "segmentation_free", "num_samples")
MODELS: Mapping[str, Model] = {
    "tryon-v1.5": Model(How.WORN, ("model_image", "garment_image"), _TRYON),
    "tryon-v1.6": Model(How.WORN, ("model_image", "garment_image"), _TRYON),
    "tryon-max": Model(How.WORN, ("model_image", "product_image"), _NEWER),
    "product-to-model": Model(How.WORN, ("product_image",), ("model_image", *_NEWER)),
    "model-swap": Model(How.SWAP, ("model_image",), ("background_change", "disable_prompt_enhancement", *_NEWER)),
    "model-create": Model(
        How.WORDS, ("prompt",), ("image_reference", "reference_type", "disable_prompt_enhancement", *_NEWER[1:])
    ),
    "model-variation": Model(How.VARY, ("model_image",), ("variation_strength",)),
    "face-to-model": Model(How.FACE, ("face_image",), _NEWER),
    "background-change": Model(How.SCENE, ("image", "prompt"), ("disable_prompt_enhancement", *_NEWER[2:])),
    "background-remove": Model(How.CUTOUT, ("image",)),
    "edit": Model(How.EDIT, ("image", "prompt"), ("mask", *_NEWER[1:])),
    "reframe": Model(How.REFRAME, ("image", "aspect_ratio"), _NEWER[2:]),
}
LEGACY = "tryon-v1.5"  # a body without a model name
PICTURES = ("model_image", "garment_image", "product_image", "face_image", "image", "image_reference", "mask")
# Inputs of FASHN's that nothing here could act upon: said rather than ignored.
NOT_HERE = ("image_prompt", "image_context", "lora_url", "face_reference", "face_reference_mode")
RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
PARTS = {"auto": "auto", "tops": "upper", "bottoms": "lower", "one-pieces": "full"}
# Shares of the family's own number of steps.
EFFORTS = {"performance": 0.6, "fast": 0.6, "balanced": 1.0, "quality": 1.5}
STRENGTHS = {"subtle": 0.35, "strong": 0.6}


@dataclass(frozen=True)
class Wish:
    """What was asked for, checked; ``given`` holds the inputs that were sent."""

    how: How
    given: Mapping[str, Any]

    @property
    def count(self) -> int:
        """Pictures."""
        return int(self.given.get("num_images") or self.given.get("num_samples") or 1)

    @property
    def seed(self) -> int:
        """Of the first of them."""
        return int(self.given.get("seed", SEED))

    @property
    def prompt(self) -> str:
        """In one line; empty without one."""
        return str(self.given.get("prompt", ""))

    @property
    def effort(self) -> float:
        """Steps, as a share of the family's own."""
        return EFFORTS[self.given.get("generation_mode") or self.given.get("mode") or "balanced"]

    @property
    def persona(self) -> str:
        """The name of a persona, where ``model_image`` says one."""
        said = str(self.given.get("model_image", ""))
        return said.removeprefix(SAVED) if said.startswith(SAVED) else ""


def read(model_name: str, inputs: Mapping[str, Any]) -> Wish:
    """Check what was sent for a model of ``MODELS``; an input of null counts as left out.

    Args:
        inputs: pictures are https addresses or data-URIs, or {"key": ...} once they are stored.

    Raises:
        BadInput: its ``field`` says which.
    """
    model = MODELS[model_name]
    sent = {name: value for name, value in inputs.items() if value is not None}
    for name in sent:
        _refuse_unknown(name, model)
    for name in model.needs:
        if sent.get(name) in (None, ""):
            raise BadInput(_("“%(field)s” is missing.") % {"field": name}, field=name)
    wish = Wish(model.how, {name: _CHECKS[name](name, value) for name, value in sent.items()})
    if model.how in OF_A_PHOTO and wish.given.get("aspect_ratio", "2:3") != "2:3":
        raise _choose("aspect_ratio", ("2:3",))
    if "mask" in wish.given and "aspect_ratio" in wish.given:
        raise BadInput(_("A picture with a mask keeps its shape. Leave one of the two out."), field="aspect_ratio")
    return wish


def refuse_stored(inputs: Mapping[str, Any]) -> None:
    """From outside a picture is text: what names a file of ours is written by us alone.

    Raises:
        BadInput: its ``field`` says which.
    """
    for name in PICTURES:
        if isinstance(inputs.get(name), dict):
            raise _no_picture(name)


def _refuse_unknown(name: str, model: Model) -> None:
    if name in NOT_HERE:
        raise BadInput(_("“%(field)s” can not be used here. Leave it out.") % {"field": name}, field=name)
    if name not in model.known:
        raise BadInput(_("“%(field)s” is no input of this model.") % {"field": name[:40]}, field=name[:40])


def _choose(name: str, known: Any) -> BadInput:
    words = _("Choose for “%(field)s” one of: %(names)s.") % {"field": name, "names": ", ".join(known)}
    return BadInput(words, field=name)


def _one_of(*known: str) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in known:
            raise _choose(name, known)
        return value

    return check


def _whole(least: int, most: int) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            words = _("Give a whole number from %(least)d to %(most)d for “%(field)s”.")
            raise BadInput(words % {"least": least, "most": most, "field": name}, field=name)
        return value

    return check


def _yes_no(name: str, value: Any) -> Any:
    if not isinstance(value, bool):
        raise BadInput(_("“%(field)s” is true or false.") % {"field": name}, field=name)
    return value


def _words(name: str, value: Any) -> Any:
    """On one line, as an engine's prompt wants it; an empty one counts as none."""
    clean = " ".join(value.split()) if isinstance(value, str) else None
    if clean is None or len(clean) > LONGEST_PROMPT or not clean.isprintable():
        words = _("“%(field)s” is text of at most %(most)d characters.") % {"field": name, "most": LONGEST_PROMPT}
        raise BadInput(words, field=name)
    return clean


def _picture(name: str, value: Any) -> Any:
    """An address, a data-URI, or what was stored of one; what lies there is seen when it is fetched."""
    stored = isinstance(value, dict) and set(value) == {"key"}
    starts = ("https://", "http://", "data:image/", *([SAVED] if name == "model_image" else []))
    if not stored and not (isinstance(value, str) and value.startswith(starts) and _is_clean(value)):
        raise _no_picture(name)
    return value


def _is_clean(text: str) -> bool:
    """A data-URI may be broken into lines; an address has no letter that can not be seen, or stored."""
    return text.startswith("data:") or text.isprintable()


def _no_picture(name: str) -> BadInput:
    words = _("“%(field)s” is the https address of a picture, or a data-URI with its prefix.")
    return BadInput(words % {"field": name}, field=name)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(PICTURES, _picture),
    "prompt": _words,
    "aspect_ratio": _one_of(*RATIOS),
    "resolution": _one_of("1k"),
    "generation_mode": _one_of("fast", "balanced", "quality"),
    "mode": _one_of("performance", "balanced", "quality"),
    "category": _one_of(*PARTS),
    "garment_photo_type": _one_of("auto", "model"),
    "moderation_level": _one_of("conservative", "permissive", "none"),
    "variation_strength": _one_of(*STRENGTHS),
    "reference_type": _one_of("pose"),
    "output_format": _one_of("png", "jpeg"),
    "num_images": _whole(1, MOST_PICTURES),
    "num_samples": _whole(1, MOST_PICTURES),
    "seed": _whole(0, SEEDS - 1),
    "return_base64": _yes_no,
    "segmentation_free": _yes_no,
    "background_change": _yes_no,
    "disable_prompt_enhancement": _yes_no,
}
