"""From what was chosen to an order that is frozen: the executor's request, with storage keys where it has paths.

``Shoot.order`` holds everything the worker needs, presets as their words and landmarks, so that editing or deleting a
garment, a persona, a scene or a pose later changes nothing about a shoot that was accepted:

    op       "shoot", "generate" or "replay"
    body     the request's fields (docs/executor.md), without its pictures
    files    storage keys of those pictures, by their place in the body: {"order.photo": "m/..."}
    expects  of a replay: {"picture": id, "sha256": of its file}
    told     what a surface answers about it beside its pictures (surfaces/a1111/telling.py)
    keep     which picture of the result is wanted, where a whole batch is made for one
    origin   of a replay: op, body and files of the order it repeats
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.actors import Actor
from catalog.access import access_persona, access_pose, access_scene
from catalog.models import GarmentMask, GarmentPhoto, Persona, Pose, Scene
from generation import trained
from generation.access import access_photo
from generation.models import Kind, Picture, Shoot
from generation.moderation import states
from imodel_site.lib.errors import Refused, named
from imodel_site.lib.jobs.model import Status
from studio.pose.library import POSES
from studio.shoot.presets import CROP_WORDS, OUTFITS
from studio.weights.registry import FAMILIES
from training.models import AdapterVersion
from training.services import adapters

FIRST_OUTFIT = next(iter(OUTFITS))
ADVISED = ""  # of adapters
OWN = "own"  # what the merchant marked by hand (catalog.models.GarmentMask)
PARTS = ("auto", "upper", "lower", "full", OWN)
AS_PHOTOGRAPHED = "as-photographed"
MOST, MOST_CANDIDATES = 8, 24
SEEDS = 2**32
LONGEST_OUTFIT = 200


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A shoot as a merchant picks it: ids of the catalog's rows, names of the studio's presets.

    Attributes:
        photo, persona, scene, pose: ids; an empty pose keeps the one photographed.
        part: which garment of the photo is kept: auto, upper, lower, full, or own. Where the merchant has marked one by
            hand, auto is that one.
        mask: storage key of a mask of the merchant's own, instead of what was proposed.
        count, best_of: pictures, and candidates for each.
        seed: None draws one.
        outfit: empty takes the trained garment's, else the first of the presets.
        adapter: of a trained garment, by its id; None uses none. Empty takes what is advised: in an outfit change that
            names no outfit, the one of the photo's own garment.
        adapter_weight: 0 to 2; None takes what its version says.
    """

    kind: str = Kind.MODEL
    photo: UUID | None = None
    part: str = "auto"
    mask: str = ""
    persona: UUID | None = None
    scene: UUID | None = None
    pose: UUID | None = None
    crop: str = "head-to-toe"
    outfit: str = ""
    count: int = 2
    best_of: int = 1
    seed: int | None = None
    size: tuple[int, int] = (512, 768)
    engine: str = ""
    adapter: UUID | str | None = ADVISED
    adapter_weight: float | None = None


@dataclass(frozen=True)
class Frozen:
    """What an accepted shoot's row holds."""

    kind: str
    count: int
    order: dict[str, Any]
    photo: GarmentPhoto | None = None
    persona: Persona | None = None
    scene: Scene | None = None
    pose: Pose | None = None
    adapter: AdapterVersion | None = None


def draw_seed() -> int:
    """A fresh first seed."""
    return secrets.randbelow(SEEDS)


def freeze(actor: Actor, choices: Choices) -> Frozen:
    """Look everything up in the caller's scope, check it as the studio will, and write it down.

    Raises:
        NotHere: an id of the four is missing or another merchant's; ``field`` says which of the four.
        Refused: a field is out of range; ``field`` says which.
    """
    check(choices)
    with named("photo"):
        photo = _photo(actor, choices)
    with named("persona"):
        persona = access_persona(actor, choices.persona, write=False) if choices.persona else first(Persona)
    with named("scene"):
        scene = access_scene(actor, choices.scene, write=False) if choices.scene else first(Scene)
    with named("pose"):
        pose = access_pose(actor, choices.pose, write=False) if choices.pose else None
    with named("adapter"):
        adapter = trained.chosen(actor, choices, photo)
    return put_together(choices, photo=photo, persona=persona, scene=scene, pose=pose, adapter=adapter)


def put_together(
    choices: Choices,
    *,
    photo: GarmentPhoto | None,
    persona: Persona,
    scene: Scene,
    pose: Pose | None,
    adapter: AdapterVersion | None = None,
) -> Frozen:
    """The order of rows that were looked up in the caller's scope; of ``choices`` the ids are not looked at.

    Raises:
        Refused: ``pose_needed``, ``pose_not_ready``, ``pose_unknown``, ``garment_part_missing``, ``own_mask_missing``.
    """
    if choices.kind == Kind.POSE and pose is None:
        raise Refused("pose_needed", _("Choose the new pose."), field="pose")
    order = _settings(choices) | {"persona": persona_json(persona), "scene": scene_json(scene), "pose": pose_json(pose)}
    if pose is None:
        order |= corrected_pose(photo)
    files = _files(choices, photo, order)
    if adapter is not None:
        files |= trained.wear(order, adapter, choices)
    frozen = {"op": "shoot", "body": {"order": order}, "files": files}
    return Frozen(choices.kind, choices.count, frozen, photo, persona, scene, pose, adapter)


def _settings(choices: Choices) -> dict[str, Any]:
    return {
        "kind": str(choices.kind),
        "garment": "auto" if choices.part == OWN else choices.part,
        "crop": choices.crop,
        "outfit": choices.outfit or FIRST_OUTFIT,
        "count": choices.count,
        "best_of": choices.best_of,
        "seed": draw_seed() if choices.seed is None else choices.seed,
        "size": list(choices.size),
        "engine": choices.engine or settings.ENGINE,
    }


def _photo(actor: Actor, choices: Choices) -> GarmentPhoto | None:
    if choices.kind == Kind.TEXT:
        return None
    if choices.photo is None:
        raise Refused("photo_missing", _("Choose the photo to start from."), field="photo")
    photo = access_photo(actor, choices.photo)
    states.refuse_rejected_photo(photo.asset)
    return photo


def _files(choices: Choices, photo: GarmentPhoto | None, order: dict[str, Any]) -> dict[str, str]:
    """The photo, and the mask that the merchant saw over it; ``order`` learns the part that the mask stands for."""
    if photo is None:
        return {}
    files = {"order.photo": photo.asset.key}
    if choices.mask:
        return files | {"order.mask": choices.mask}
    own = own_mask(photo)
    if own is not None and choices.part in ("auto", OWN):
        return files | {"order.mask": own.key}
    if choices.part == OWN:
        words = _("Nothing is marked by hand on this photo. Cut the garment out first, or choose another part.")
        raise Refused("own_mask_missing", words, field="part")
    seen = seen_parts(photo)
    part = seen["best"] if choices.part == "auto" else choices.part
    if part in seen["parts"]:
        order["garment"] = part
        files["order.mask"] = seen["parts"][part]["key"]
    elif seen["parts"] and choices.part != "auto":
        words = _("No such garment was found in this photo. Choose another part, or add a mask.")
        raise Refused("garment_part_missing", words, field="part")
    return files


def corrected_pose(photo: GarmentPhoto | None) -> dict[str, Any]:
    """How somebody stands on the photo as its merchant says; nothing where nobody said anything."""
    said = getattr(photo.asset, "photo_skeleton", None) if photo is not None else None
    return {"photo_pose": said.landmarks} if said is not None else {}


def own_mask(photo: GarmentPhoto) -> GarmentMask | None:
    """What the merchant marked by hand on a photo."""
    return getattr(photo.asset, "garment_mask", None)


def seen_parts(photo: GarmentPhoto) -> dict[str, Any]:
    """What was seen on a photo: ``parts`` by name, ``best``, ``skeleton``; nothing while nobody has looked yet."""
    look = getattr(photo.asset, "look", None)
    if look is None or look.status != Status.SUCCEEDED:
        return {"parts": {}, "best": None, "skeleton": None, "look": look}
    found = look.found
    parts = {item["part"]: item for item in found.get("parts") or [] if item["part"] in PARTS}
    return {"parts": parts, "best": found.get("best"), "skeleton": found.get("skeleton"), "look": look}


def check(choices: Choices) -> None:
    """What ``studio.shoot.flow.check`` refuses, said by the field before anything is queued.

    Raises:
        Refused: a field is out of range; ``field`` says which.
    """
    kinds = [kind for kind in Kind.values if kind != Kind.EXPERT]
    _one_of("kind", choices.kind, kinds)
    _one_of("part", choices.part, PARTS)
    _one_of("crop", choices.crop, CROP_WORDS)
    if choices.engine:
        _one_of("engine", choices.engine, FAMILIES)
    _within("count", choices.count, 1, MOST)
    _within("best_of", choices.best_of, 1, MOST)
    if choices.count * choices.best_of > MOST_CANDIDATES:
        words = _("That makes more than %(most)d candidates. Order fewer pictures, or let fewer compete for each.")
        raise Refused("count_out_of_range", words % {"most": MOST_CANDIDATES}, field="best_of")
    if choices.seed is not None:
        _within("seed", choices.seed, 0, SEEDS - 1)
    if choices.outfit and not _is_outfit(choices.outfit):
        raise Refused("outfit_invalid", _("Choose an outfit, or describe one in a few words."), field="outfit")
    if choices.adapter_weight is not None:
        adapters.check_weight(choices.adapter_weight, field="adapter_weight")


def _is_outfit(words: str) -> bool:
    return words in OUTFITS or (bool(words.strip()) and len(words) <= LONGEST_OUTFIT and words.isprintable())


def _one_of(field: str, value: str, known: Any) -> None:
    if value not in known:
        raise Refused(f"{field}_unknown", _("Choose one of those that are offered."), field=field)


def _within(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        words = _("Give a number from %(least)d to %(most)d.") % {"least": least, "most": most}
        raise Refused(f"{field}_out_of_range", words, field=field)


def first(library: Any) -> Any:
    """The library's first entry, which is what a page offers before anything was chosen.

    Raises:
        Refused: ``library_empty``: nobody ran the set-up.
    """
    found = library.objects.order_by("position", "id").first()
    if found is None:
        raise Refused("library_empty", _("There are no presets yet: run “manage.py seed_library”."), status=503)
    return found


def persona_json(row: Persona) -> dict[str, str]:
    """The persona's words, as an executor's order holds one's own."""
    return {"name": row.name, "words": row.words, "below": row.below, "above": row.above}


def scene_json(row: Scene) -> dict[str, str]:
    """The scene's words."""
    return {"name": row.name, "words": row.words}


def pose_json(row: Pose | None) -> str | dict[str, Any]:
    """A studio pose by its name, a merchant's own by its landmarks; none is the one photographed."""
    if row is None:
        return AS_PHOTOGRAPHED
    if row.landmarks is None and row.merchant_id is not None:
        words = _("This pose is still being read from its photo. Wait a moment, or choose another one.")
        raise Refused("pose_not_ready", words, field="pose", retryable=True)
    if row.landmarks is None:
        if row.name not in POSES:
            raise Refused("pose_unknown", _("This pose is no longer there. Choose another one."), field="pose")
        return row.name
    return {"name": row.name, "landmarks": row.landmarks}


# --- from what was made before -------------------------------------------------------------------------------------
def again(shoot: Shoot) -> Frozen:
    """The same order with other seeds; Conflict ``photo_rejected``, as for all that is made from what was."""
    return _repeat(shoot, seed=draw_seed(), count=shoot.count)


def redone(shoot: Shoot) -> Frozen:
    """The same order with another seed and one picture of it; Conflict ``photo_rejected``."""
    return _repeat(shoot, seed=draw_seed(), count=1)


def varied(shoot: Shoot, *, seed: int, count: int, persona: Persona | None) -> Frozen:
    """The order of a picture with the seeds that follow its own, or with another persona and its very seed."""
    frozen = _repeat(shoot, seed=seed if persona else (seed + 1) % SEEDS, count=count)
    if persona is None or "order" not in frozen.order["body"]:
        return frozen
    body = frozen.order["body"]
    order = body["order"] | {"persona": persona_json(persona), "best_of": 1}
    return replace(frozen, persona=persona, order=frozen.order | {"body": body | {"order": order}})


def _repeat(shoot: Shoot, *, seed: int, count: int) -> Frozen:
    states.refuse_rejected_source(shoot)
    origin = shoot.order.get("origin") or shoot.order
    body = dict(origin["body"])
    if "order" in body:
        body["order"] = body["order"] | {"seed": seed, "count": count}
    else:
        body["request"] = body["request"] | {"seed": seed, "batch_size": count, "iterations": 1}
    order = {"op": origin["op"], "body": body, "files": origin["files"]}
    adapter = trained.worn_before(shoot)
    return Frozen(shoot.kind, count, order, shoot.photo, shoot.persona, shoot.scene, shoot.pose, adapter)


def replayed(picture: Picture) -> Frozen:
    """The order that makes a picture's very bytes again; it carries what it repeats, for the day it is repeated."""
    shoot = picture.shoot
    states.refuse_rejected_picture(picture)
    states.refuse_rejected_source(shoot)
    origin = shoot.order.get("origin") or {key: shoot.order[key] for key in ("op", "body", "files")}
    expects = {"picture": str(picture.pk), "sha256": picture.files["full"]["sha256"]}
    extra = {"expects": expects, "origin": origin}
    if origin["op"] == "shoot":
        body: dict[str, Any] = {"recipe": picture.recipe}
        files = {"photo": key} if (key := origin["files"].get("order.photo")) else {}
        if key := origin["files"].get(trained.PLACE):
            body, files = body | {"adapters": [""]}, files | {"adapters.0": key}
        order = {"op": "replay", "body": body, "files": files, **extra}
    else:
        # The executor replays shoots only; an expert's picture is made again in its batch, with the seeds it had.
        batch = picture.recipe["batch"]
        request = origin["body"]["request"] | {"seed": batch["seeds"]}
        order = {**origin, "body": origin["body"] | {"request": request}, "keep": batch["index"], **extra}
    adapter = trained.worn_before(shoot)
    return Frozen(shoot.kind, 1, order, shoot.photo, shoot.persona, shoot.scene, shoot.pose, adapter)
