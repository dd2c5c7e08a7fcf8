"""``/controlnet/*``: what our one control, the skeleton, is called; skeletons read off photos and drawn from JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from accounts.actors import Actor
from catalog.models import Look
from catalog.services import borrowing
from generation.surfaces import pictures, waiting
from generation.surfaces.a1111 import control
from generation.surfaces.a1111.fields import as_number
from generation.surfaces.door import door
from generation.surfaces.waiting import Patience, StillWorking
from imodel_site.lib.errors import Refused, from_studio
from imodel_site.lib.images import ROOM
from imodel_site.lib.jobs.model import Status
from studio.errors import InputError
from studio.images import BLACK
from studio.pose.openpose import FROM_33, draw_people
from studio.pose.openpose_json import JOINTS, LARGEST_SIDE

VERSION = 3  # of the API that sd-webui-controlnet counts
MOST_AT_ONCE = 8
MOST_DRAWN = 40_000_000  # people times pixels of one call: a limb may lie across its whole drawing
INVENTED = "invented"
Points = Any  # (18, 3) float32


@door("GET")
def version(actor: Actor, given: Any) -> Any:
    """Which API."""
    return {"version": VERSION}


@door("GET")
def model_list(actor: Actor, given: Any) -> Any:
    """Models."""
    return {"model_list": [control.MODEL]}


@door("GET")
def module_list(actor: Actor, given: Any) -> Any:
    """Modules; none of them has sliders."""
    names = ["none", *control.MODULES]
    detail = {name: {"model_free": False, "sliders": []} for name in names}
    return {"module_list": names, "module_detail": detail}


@door("GET")
def control_types(actor: Actor, given: Any) -> Any:
    """Types."""
    kind = {
        "module_list": ["none", *control.MODULES],
        "model_list": ["None", control.MODEL],
        "default_option": "openpose",
        "default_model": control.MODEL,
    }
    return {"control_types": {"All": kind, "OpenPose": kind}}


@door("GET")
def settings(actor: Actor, given: Any) -> Any:
    """How many units."""
    return {"control_net_unit_count": control.UNITS}


@door("POST", changes=True)
def detect(actor: Actor, given: dict[str, Any]) -> Any:
    """Skeletons of photos; ``none`` gives the pictures back."""
    module = str(given.get("controlnet_module") or "none").strip().lower()
    asked = given.get("controlnet_input_images") or given.get("controlnet_images")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_AT_ONCE:
        words = "No image selected" if not asked else f"At most {MOST_AT_ONCE} pictures at once."
        raise Refused("control_image_missing", words, field="controlnet_input_images", status=422)
    warnings = _about_detecting(given)
    data = [pictures.decoded(text, field=f"controlnet_input_images.{k}") for k, text in enumerate(asked)]
    if module in control.NONE:
        return {"info": "Success", "images": [_as_it_is(one) for one in data], "poses": [], "tensor": [],
                "warnings": warnings}  # fmt: skip
    control.check_module(module, "controlnet_module")
    return {**_detected(actor, data), "warnings": warnings}


def _about_detecting(given: dict[str, Any]) -> list[str]:
    """What can not be carried out, in words; a mask would be another skeleton, so it is refused."""
    masks = given.get("controlnet_masks")
    if any(masks) if isinstance(masks, list) else masks:
        words = "controlnet_masks is not supported here: the pose of the whole picture is read."
        raise Refused("control_unsupported", words, field="controlnet_masks", status=422)
    size = as_number(given.get("controlnet_processor_res"))
    said = "controlnet_processor_res was not applied: the pose is read at the picture's own size"
    return [said] if size is not None and size > 0 else []


def _as_it_is(data: bytes) -> str:
    picture = pictures.opened(data, field="controlnet_input_images", background=BLACK, most=pictures.MOST_WORKED_ON)
    with ROOM:
        return _text(picture)


def _detected(actor: Actor, data: list[bytes]) -> dict[str, Any]:
    with waiting.place(actor) as patience:
        if patience is None:
            raise waiting.full()
        assets = [borrowing.borrow(actor.merchant, one) for one in data]
        sizes = [(asset.width, asset.height) for asset in assets]
        for size in sizes:
            pictures.refuse_above(pictures.MOST_WORKED_ON, size, field="controlnet_input_images")
        looks = [borrowing.look_at(asset) for asset in assets]
        found = [_seen(look, patience) for look in looks]
    drawn = [_rendered([points], size) for points, size in zip(found, sizes, strict=True)]
    poses = [_document(points, size) for points, size in zip(found, sizes, strict=True)]
    return {"info": "Success", "images": drawn, "poses": poses, "tensor": []}


def _seen(look: Look, patience: Patience) -> Points:
    """(18, 3) x, y, confidence of the largest person; 0 for joints that were not seen, all 0 for nobody."""
    if waiting.until(lambda: waiting.ended(look), patience) is None:
        words = "The photo is still being looked at. Send the same request again in a moment: nothing is read twice."
        raise StillWorking("still_working", words, retryable=True, retry_after=5)
    if look.status != Status.SUCCEEDED:
        raise Refused("look_failed", "This photo could not be looked at.", status=422)
    rows = borrowing.seen_joints(look)
    return np.zeros((JOINTS, 3), np.float32) if rows is None else _to_18(rows)


def _to_18(rows: list[list[Any]]) -> Points:
    joints = []
    for sources in FROM_33:
        picked = [rows[int(source)] for source in sources]
        seen = all(row[4] != INVENTED if len(row) > 4 else row[3] > 0 for row in picked)
        x, y = (sum(float(row[k]) for row in picked) / len(picked) for k in (0, 1))
        joints.append([x, y, min(float(row[3]) for row in picked)] if seen else [0.0, 0.0, 0.0])
    return np.asarray(joints, np.float32)


def _document(points: Points, size: tuple[int, int]) -> dict[str, Any]:
    """OpenPose's JSON of one person, or of none."""
    numbers = [round(float(value), 3) for value in points.ravel()]
    people = [{"pose_keypoints_2d": numbers, "face_keypoints_2d": None, "hand_left_keypoints_2d": None,
               "hand_right_keypoints_2d": None}] if points.any() else []  # fmt: skip
    return {"people": people, "canvas_width": size[0], "canvas_height": size[1]}


@door("POST", changes=True, lists=True)
def render_openpose_json(actor: Actor, given: Any) -> Any:
    """Skeletons drawn from OpenPose's JSON: one picture for each document, all its people on it."""
    documents = given if isinstance(given, list) else [given]
    if not 1 <= len(documents) <= MOST_AT_ONCE or not all(isinstance(one, dict) for one in documents):
        raise Refused("skeleton_empty", "No pose data was given.", status=422)
    read = [_read(one) for one in documents]
    if sum((1 + len(people)) * width * height for people, (width, height) in read) > MOST_DRAWN:
        words = f"Too much to draw at once: people times pixels may be {MOST_DRAWN // 1_000_000} million in all."
        raise Refused("skeleton_too_large", words, field="people", status=422)
    return {"info": "Success", "images": [_rendered(people, size) for people, size in read]}


def _rendered(people: list[Points], size: tuple[int, int]) -> str:
    with ROOM:
        return _text(draw_people(people, size))


def _read(document: dict[str, Any]) -> tuple[list[Points], tuple[int, int]]:
    size = (_side(document, "canvas_width"), _side(document, "canvas_height"))
    people = document.get("people")
    if not isinstance(people, list) or len(people) > 100:
        raise Refused("skeleton_empty", "people must be a list of at most 100.", field="people", status=422)
    return [_points(person) for person in people], size


def _side(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or not 64 <= value <= min(LARGEST_SIDE, 4096):
        raise Refused("skeleton_without_canvas", f"{name} must be 64 to 4096.", field=name, status=422)
    return value


def _points(person: Any) -> Points:
    numbers = person.get("pose_keypoints_2d") if isinstance(person, dict) else None
    try:
        points = np.asarray(numbers, np.float32).reshape(JOINTS, 3)
    except (TypeError, ValueError, OverflowError):
        raise from_studio(
            InputError("skeleton_wrong_length", "`pose_keypoints_2d` must hold 54 numbers."), field="people"
        ) from None
    if not np.isfinite(points).all() or np.abs(points).max(initial=0) > 1e6:
        raise Refused("skeleton_not_finite", "`pose_keypoints_2d` holds NaN or infinity.", field="people", status=422)
    return points


def _text(image: Image.Image) -> str:
    return pictures.text_of(pictures.png(image))
