"""The recipe: everything a picture was made from, as JSON, and the way back from it to the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import studio
from studio.diffusion.types import Result
from studio.errors import InputError
from studio.pose.types import Pose
from studio.shoot.own import persona_from, photo_pose_from, pose_from, preset_json, scene_from
from studio.shoot.presets import Kind, OwnPose
from studio.shoot.types import Mask, Order, Table

FORMAT = 1
LIBRARIES = ("numpy", "pillow", "opencv-contrib-python", "mediapipe")


def picture_hash(picture: Image.Image | None) -> str | None:
    """SHA-256 over size and RGB bytes; file formats and metadata do not matter."""
    if picture is None:
        return None
    return hashlib.sha256(f"{picture.size}".encode() + picture.convert("RGB").tobytes()).hexdigest()


def mask_hash(mask: Mask) -> str:
    """SHA-256 over shape and packed bits."""
    return hashlib.sha256(f"{mask.shape}".encode() + np.packbits(mask).tobytes()).hexdigest()


@dataclass(frozen=True)
class Batch:
    """One call of the engine: its seeds and which of its pictures this is, for only the same batch gives the same
    bytes.
    """

    seeds: tuple[int, ...]
    index: int


def write(
    order: Order,
    table: Table,
    *,
    prompt: str,
    negative: str,
    part: str,
    result: Result,
    index: int,
    weights: Mapping[str, str],
) -> dict[str, Any]:
    """The recipe of picture ``index`` of an engine's result."""
    name = order.pose.name if isinstance(order.pose, OwnPose) else order.pose
    pose = {"name": name, "asked": pose_rows(table.asked), "found": pose_rows(table.found) if table.found else None}
    return {
        "format": FORMAT,
        "studio": studio.__version__,
        "kind": order.kind.value,
        "presets": {
            "persona": preset_json(order.persona),
            "scene": preset_json(order.scene),
            "pose": preset_json(order.pose),
            "crop": order.crop,
            "outfit": order.outfit,
            "garment": order.garment,
        },
        "part": part,
        "photo": {"sha256": picture_hash(order.photo), "size": list(order.photo.size) if order.photo else None},
        "mask": {"sha256": mask_hash(table.garment), "given": _mask_png(order.mask)},
        "table": table_hash(table),
        "pose": pose,
        **({"photo_pose": [list(row) for row in order.photo_pose]} if order.photo_pose else {}),
        "size": list(order.size),
        "prompt": prompt,
        "negative_prompt": negative,
        "seed": result.seeds[index],
        "batch": {"seeds": list(result.seeds), "index": index, "size": result.parameters["batch_size"]},
        "settings": {"steps": order.steps, "guidance_scale": order.guidance_scale, "sampler": order.sampler},
        "adapters": [{"sha256": one["sha256"], "weight": one["weight"]} for one in _adapters(result)],
        **({"worn": order.worn} if order.worn else {}),
        "engine": {
            "family": order.engine,
            "weights": dict(weights),
            "parameters": json.loads(json.dumps(dict(result.parameters))),
        },
        "versions": {name: version(name) for name in LIBRARIES},
    }


def table_hash(table: Table) -> str:
    """One hash for source, masks and asked pose: whether a replay stands on the same light table."""
    digest = hashlib.sha256()
    for item in (picture_hash(table.source), mask_hash(table.garment), mask_hash(table.kept), mask_hash(table.locked)):
        digest.update(str(item).encode())
    digest.update(np.round(table.asked.points, 3).astype(np.float32).tobytes())
    return digest.hexdigest()


def pose_rows(pose: Pose) -> list[list[Any]]:
    """33 rows of x, y, z, confidence, state in the frame's pixels."""
    rows = zip(pose.points, pose.confidence, pose.states, strict=True)
    return [[*(round(float(v), 3) for v in p), round(float(c), 4), s.value] for p, c, s in rows]


def _mask_png(mask: Mask | None) -> str | None:
    if mask is None:
        return None
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def read(path: Path) -> dict[str, Any]:
    """The recipe in a file that a shoot wrote (or a recipe alone).

    Raises:
        InputError: ``recipe_unreadable``, ``recipe_format_unknown``.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        recipe = data.get("recipe", data)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        raise InputError(
            "recipe_unreadable", f"{path} is not a recipe: give the .json that a shoot wrote beside its picture."
        ) from error
    return checked(recipe)


def checked(recipe: object) -> dict[str, Any]:
    """A recipe of a format that this version reads.

    Raises:
        InputError: ``recipe_unreadable``, ``recipe_format_unknown``.
    """
    if not isinstance(recipe, Mapping):
        raise InputError("recipe_unreadable", "A recipe is an object, as a shoot writes it.")
    if recipe.get("format") != FORMAT:
        known = recipe.get("format")
        raise InputError(
            "recipe_format_unknown", f"The recipe has format {known!r}; this version reads format {FORMAT}."
        )
    return dict(recipe)


def family_of(recipe: Mapping[str, Any]) -> str:
    """The engine it was made with; InputError ``recipe_incomplete``."""
    try:
        return str(recipe["engine"]["family"])
    except (KeyError, TypeError) as error:
        raise _incomplete(error) from error


def _adapters(result: Result) -> list[dict[str, Any]]:
    """What the engine says of the job's LoRAs; other engines than ours may say nothing."""
    found = result.parameters.get("adapters", [])
    return [dict(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def order_of(
    recipe: Mapping[str, Any], photo: Image.Image | None, adapters: Sequence[Path] = ()
) -> tuple[Order, Batch]:
    """The order a recipe came from, and which picture of which batch it was.

    Args:
        recipe, photo: checked against each other.
        adapters: files among which the recipe's are; a recipe never says where one lies, only which one it is.

    Raises:
        InputError: ``recipe_photo_differs`` when the photo is another one, ``recipe_adapter_missing``,
            ``adapter_missing``, ``recipe_incomplete``.
    """
    try:
        if recipe["photo"]["sha256"] != picture_hash(photo):
            raise InputError(
                "recipe_photo_differs", "The recipe was made from another photo; give the photo it was made from."
            )
        batch = Batch(tuple(int(s) for s in recipe["batch"]["seeds"]), int(recipe["batch"]["index"]))
        return _order(recipe, photo, batch, _located(recipe["adapters"], adapters)), batch
    except (KeyError, TypeError, ValueError) as error:
        raise _incomplete(error) from error


def _incomplete(error: Exception) -> InputError:
    return InputError("recipe_incomplete", f"The recipe lacks or garbles a field ({error}); it can not be replayed.")


def _located(asked: Sequence[Mapping[str, Any]], offered: Sequence[Path]) -> tuple[tuple[Path, float], ...]:
    """The recipe's adapters among the files that are offered, found by their bytes."""
    known = {_file_hash(path): path for path in offered} if asked else {}
    if not all(one["sha256"] in known for one in asked):
        raise InputError(
            "recipe_adapter_missing", "The picture was made with an adapter that is not at hand: give its very file."
        )
    return tuple((known[one["sha256"]], float(one["weight"])) for one in asked)


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError("adapter_missing", f"There is no adapter at {path}.") from error


def _order(
    recipe: Mapping[str, Any], photo: Image.Image | None, batch: Batch, adapters: tuple[tuple[Path, float], ...]
) -> Order:
    presets = recipe["presets"]
    own = {
        "persona": persona_from(presets["persona"]),
        "scene": scene_from(presets["scene"]),
        "pose": pose_from(presets["pose"]),
    }
    return Order(
        kind=Kind(recipe["kind"]),
        photo=photo,
        mask=_mask_of(recipe["mask"]["given"]),
        photo_pose=photo_pose_from(recipe.get("photo_pose")),
        count=1,
        best_of=len(batch.seeds),
        seed=batch.seeds[0],
        size=(int(recipe["size"][0]), int(recipe["size"][1])),
        engine=recipe["engine"]["family"],
        adapters=adapters,
        worn=recipe.get("worn"),
        **{**presets, **own},
        **recipe["settings"],
    )


def _mask_of(png: str | None) -> Mask | None:
    if png is None:
        return None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")) > 127


def require_same(recipe: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    """A replay must stand on the same weights, libraries and light table, or its bytes would silently differ.

    Raises:
        InputError: ``recipe_weights_differ``, ``recipe_versions_differ``, ``recipe_table_differs``.
    """
    checks = (
        ("recipe_weights_differ", "weights", recipe["engine"]["weights"], fresh["engine"]["weights"]),
        ("recipe_versions_differ", "library versions", _versions(recipe), _versions(fresh)),
        ("recipe_table_differs", "pose, mask or frame", recipe["table"], fresh["table"]),
    )
    for code, what, was, now in checks:
        if was != now:
            raise InputError(
                code, f"The {what} are not those the picture was made with, so a replay would not give the same bytes."
            )


def _versions(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {**recipe["versions"], **recipe["engine"]["parameters"]["engine"]["versions"], "studio": recipe["studio"]}
