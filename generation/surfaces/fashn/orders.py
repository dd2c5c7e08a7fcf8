"""From a wish and its pictures to a frozen order: a shoot from a photo, or an expert's request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.models import Asset, GarmentPhoto, Persona, Scene
from generation import orders
from generation.expert import ControlChoice, ExpertChoices, defaults_of, freeze_expert
from generation.models import Kind
from generation.orders import Choices, Frozen
from generation.surfaces.fashn.inputs import OF_A_PHOTO, PARTS, STRENGTHS, BadInput, How, Wish
from studio.diffusion.types import Resize

AS_ASKED = "As asked"  # what a recipe calls words that came with the call
PLAIN_PROMPT = "photo of a model"
MOST_STEPS = 150
# How much of a picture is painted over where no mask says so.
EDIT_STRENGTH = 0.6


@dataclass(frozen=True)
class Ready:
    """The pictures of a wish, fetched.

    Attributes:
        photo: of a shoot from a photo.
        landmarks: how somebody stands on the picture that gives the pose, 33 rows; empty without one.
        image, mask, skeleton: storage keys; ``size`` is that of ``image``.
    """

    photo: Asset | None = None
    landmarks: list[list[float]] = field(default_factory=list)
    image: str = ""
    mask: str = ""
    skeleton: str = ""
    size: tuple[int, int] = (0, 0)


def freeze(wish: Wish, ready: Ready) -> Frozen:
    """The order, in the merchant's scope.

    Raises:
        Refused: it can not be carried out; ``field`` says why.
    """
    frozen = _of_a_photo(wish, ready) if wish.how in OF_A_PHOTO else freeze_expert(_expert(wish, ready))
    if wish.given.get("output_format") == "jpeg":
        return replace(frozen, order=frozen.order | {"also": ["jpeg"]})
    return frozen


# --- a shoot from a photo --------------------------------------------------------------------------------------------
def _of_a_photo(wish: Wish, ready: Ready) -> Frozen:
    kind = Kind.SCENE if wish.how is How.SCENE else Kind.MODEL
    part = PARTS[wish.given.get("category", "auto")]
    choices = Choices(kind=kind, part=part, count=wish.count, seed=wish.seed)
    persona = _persona(wish)
    # Never saved: the picture is an order's, and no garment of the catalog has it.
    photo = GarmentPhoto(asset=ready.photo)
    frozen = orders.put_together(choices, photo=photo, persona=persona, scene=orders.first(Scene), pose=None)
    body = frozen.order["body"]
    order = body["order"] | _said(wish, persona) | _standing(ready) | {"steps": _steps(wish, body["order"]["engine"])}
    said = _said(wish, persona)
    return replace(
        frozen,
        order=frozen.order | {"body": body | {"order": order}},
        photo=None,
        persona=None if "persona" in said else frozen.persona,
        scene=None if "scene" in said else frozen.scene,
    )


def _persona(wish: Wish) -> Persona:
    """The one that is named, among the shop's own and the shared ones; else the library's first."""
    if not wish.persona:
        found: Persona = orders.first(Persona)
        return found
    named: Persona | None = Persona.objects.filter(name=wish.persona).order_by("position", "id").first()
    if named is None:
        words = _("There is no persona of this name. The library shows those there are.")
        raise BadInput(words, field="model_image")
    return named


def _said(wish: Wish, persona: Persona) -> dict[str, Any]:
    """What the prompt speaks of: who, where somebody is swapped; else where."""
    if not wish.prompt:
        return {}
    if wish.how is How.SWAP:
        return {"persona": orders.persona_json(persona) | {"name": AS_ASKED, "words": wish.prompt}}
    return {"scene": {"name": AS_ASKED, "words": wish.prompt}}


def _standing(ready: Ready) -> dict[str, Any]:
    return {"pose": {"name": AS_ASKED, "landmarks": ready.landmarks}} if ready.landmarks else {}


def _steps(wish: Wish, engine: str) -> int:
    return max(1, min(MOST_STEPS, round(wish.effort * defaults_of(engine).steps)))


# --- an expert's request ---------------------------------------------------------------------------------------------
def _expert(wish: Wish, ready: Ready) -> ExpertChoices:
    engine = settings.ENGINE
    width, height = _frame(wish, ready, engine)
    plain = ExpertChoices(
        prompt=wish.prompt or PLAIN_PROMPT,
        seed=wish.seed,
        batch_size=wish.count,
        steps=_steps(wish, engine),
        width=width,
        height=height,
        image=ready.image,
        mask=ready.mask,
        engine=engine,
    )
    return replace(plain, **_ways(wish, ready))


def _ways(wish: Wish, ready: Ready) -> Mapping[str, Any]:
    """What each way adds."""
    if wish.how is How.WORDS:
        return {"controls": (ControlChoice(image=ready.skeleton),) if ready.skeleton else ()}
    if wish.how is How.VARY:
        return {"denoising_strength": STRENGTHS[wish.given.get("variation_strength", "subtle")]}
    if wish.how is How.EDIT and not ready.mask:
        return {"denoising_strength": EDIT_STRENGTH, "resize": Resize.CROP.value}
    # Only what the mask leaves open is painted, at the engine's own size, and put into the picture at the picture's.
    return {"only_masked": True, "fill": 1 if wish.how is How.EDIT else 0, "mask_blur": 4.0}


def _frame(wish: Wish, ready: Ready, engine: str) -> tuple[int, int]:
    """Width and height: as many pixels as the family was trained on, in the shape that is asked for."""
    defaults = defaults_of(engine)
    shape = _ratio(str(wish.given.get("aspect_ratio", "")), ready.size) or defaults.width / defaults.height
    height = (defaults.width * defaults.height / shape) ** 0.5
    return _in_eights(height * shape), _in_eights(height)


def shape_of(wish: Wish) -> float:
    """Width by height of a frame that is painted around a picture."""
    return _ratio(str(wish.given.get("aspect_ratio", "2:3")), (0, 0))


def _ratio(said: str, size: tuple[int, int]) -> float:
    """As it was said, else the picture's own; 0 without either."""
    if said:
        width, _colon, height = said.partition(":")
        return int(width) / int(height)
    return size[0] / size[1] if all(size) else 0.0


def _in_eights(side: float) -> int:
    return max(64, min(2048, 8 * round(side / 8)))
