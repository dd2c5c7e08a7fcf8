"""A merchant's own personas, scenes and poses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Merchant
from catalog.models import Asset, Look, Persona, Pose, Scene
from catalog.services.assets import add_asset, lock_asset, release_asset
from catalog.services.garments import clean_line
from catalog.services.looks import landmarks_in
from catalog.traits import Traits, scene_picture, scene_words
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.wide_stack import on_wide_stack

TITLE_LENGTH = 80
MOST_OWN = 200  # of each kind
# Left and right change places (studio.pose.types.J): the nose stays, every pair swaps.
PAIRS = ((1, 4), (2, 5), (3, 6), (7, 8), (9, 10), *((left, left + 1) for left in range(11, 33, 2)))


def make_persona(*, merchant: Merchant, title: str, traits: Traits, below: str, above: str) -> Persona:
    """A persona from choices."""
    values: dict[str, Any] = {"words": traits.words, "below": below, "above": above, "traits": asdict(traits)}
    found: Persona = _make(Persona, merchant, title, picture=traits.picture, **values)
    return found


def change_persona(*, persona: Persona, title: str, traits: Traits, below: str, above: str) -> Persona:
    """Other choices; pictures that were made keep their recipe."""
    persona.title, persona.words, persona.traits = _title(title), traits.words, asdict(traits)
    persona.below, persona.above, persona.picture = below, above, traits.picture
    persona.save()
    return persona


def make_scene(*, merchant: Merchant, title: str, place: str, light: str, tone: str, file: Any = None) -> Scene:
    """A scene from choices, with a picture of one's own to know it by."""
    words = scene_words(place=place, light=light, tone=tone)
    asset = add_asset(merchant=merchant, file=file)[0] if file else None
    found: Scene = _make(Scene, merchant, title, asset=asset, picture=scene_picture(place), words=words)
    return found


def change_scene(*, scene: Scene, title: str, place: str = "", light: str = "", tone: str = "") -> Scene:
    """Another name and, where a place is given, other words; pictures that were made keep their recipe."""
    scene.title = _title(title)
    if place:
        scene.words, scene.picture = scene_words(place=place, light=light, tone=tone), scene_picture(place)
    scene.save()
    return scene


def rename_pose(*, pose: Pose, title: str) -> Pose:
    """Another name."""
    pose.title = _title(title)
    pose.save(update_fields=["title"])
    return pose


def make_pose(*, merchant: Merchant, title: str, file: Any) -> Pose:
    """A pose from a photo; it can be used once the photo has been looked at (see :func:`is_ready`)."""
    asset, _new = add_asset(merchant=merchant, file=file)
    look = Look.objects.filter(asset=asset).first()
    rows = landmarks_in(look.found) if look is not None and look.ended else None
    found: Pose = _make(Pose, merchant, title, asset=asset, landmarks=rows)
    if rows is None:
        _fill_if_looked_meanwhile(found)
    return found


def _fill_if_looked_meanwhile(pose: Pose) -> None:
    """The look may have ended between reading it and writing the pose; then nobody else would fill it."""
    look = Look.objects.filter(asset=pose.asset).first()
    rows = landmarks_in(look.found) if look is not None and look.ended else None
    if rows is not None and Pose.objects.filter(pk=pose.pk, landmarks__isnull=True).update(landmarks=rows):
        pose.landmarks = rows


def make_drawn_pose(*, merchant: Merchant, title: str, landmarks: list[list[float]], file: bytes) -> Pose:
    """A pose that was set by hand; ``file`` is the picture to know it by."""
    _title(title)  # a name that is missing is no reason to keep a picture
    asset, _new = add_asset(merchant=merchant, file=file)
    found: Pose = _make(Pose, merchant, title, asset=asset, landmarks=landmarks)
    return found


def copy_pose(*, merchant: Merchant, pose: Pose, title: str, mirrored: bool) -> Pose:
    """One's own copy of a pose, as it is or with left and right exchanged."""
    rows = pose.landmarks or _library_landmarks(pose.name)
    picture = pose.picture.replace(".webp", "-mirrored.webp") if mirrored else pose.picture
    rows = mirror(rows) if mirrored else rows
    found: Pose = _make(Pose, merchant, title, asset=pose.asset, picture=picture, landmarks=rows)
    return found


def _library_landmarks(name: str) -> list[list[float]]:
    """Of studio's own pose, in thousandths of a stature."""
    from studio.pose.body import Proportions, landmarks
    from studio.pose.library import POSES

    if name not in POSES:
        raise Refused("pose_not_ready", _("This pose has no landmarks yet. Wait until its photo has been looked at."))
    rows = on_wide_stack(lambda: landmarks(POSES[name].angles, Proportions()))
    return [[round(1000 * float(value), 2) for value in row[:3]] + [1.0] for row in rows]


def mirror(rows: list[list[float]]) -> list[list[float]]:
    """The pose as a mirror shows it; rows of x, y, z, confidence."""
    flipped = [[-x, y, z, confidence] for x, y, z, confidence in rows]
    for one, other in PAIRS:
        flipped[one], flipped[other] = flipped[other], flipped[one]
    return flipped


def is_ready(pose: Pose) -> bool:
    """Whether a shoot can use it: shared ones always, one's own once it has landmarks."""
    return pose.merchant_id is None or pose.landmarks is not None


def delete_own(*, row: Persona | Scene | Pose) -> None:
    """Delete an own one; pictures made with it keep their recipe."""
    asset_id = row.asset_id
    row.delete()
    if asset_id is not None:
        release_asset(asset_id)


def _title(title: str) -> str:
    found = clean_line(title, TITLE_LENGTH)
    if not found:
        raise Refused("name_missing", _("Give it a name."), field="title")
    return found


def _make(model: type[Any], merchant: Merchant, title: str, *, asset: Asset | None = None, **values: Any) -> Any:
    shown = _title(title)
    own = model.objects.filter(merchant=merchant)
    if own.count() >= MOST_OWN:
        raise Refused("library_full", _("At most %(most)s of your own fit. Delete one first.") % {"most": MOST_OWN})

    def write(name: str) -> Any:
        with transaction.atomic():
            kept = lock_asset(asset) if asset is not None else None
            last = own.aggregate(last=Max("position"))["last"]
            return model.objects.create(
                merchant=merchant, name=name, title=shown, asset=kept, position=min(1 + (last or 0), 32_000), **values
            )

    return _with_free_name(model, shown, write)


def _with_free_name(model: type[Any], title: str, write: Callable[[str], Any]) -> Any:
    """The slug of a title; a number behind it when it is taken, by a shared one as well."""
    base = slugify(title)[:50] or model._meta.model_name
    for number in range(1, 1000):
        name = base if number == 1 else f"{base}-{number}"
        if model.objects.filter(name=name).exists():
            continue
        try:
            return write(name)
        except IntegrityError:
            continue
    raise Conflict("name_taken", _("There are too many of this name. Choose another one."), field="title")
