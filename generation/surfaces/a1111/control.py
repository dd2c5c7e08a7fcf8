"""ControlNet units, as sd-webui-controlnet writes them into ``alwayson_scripts``.

Its clients leave stale entries and write what they please where a word is wanted: a list of one word, a number of an
old version. Whatever has no meaning for our one kind of control, the skeleton, is said in a warning or refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from generation.surfaces import pictures
from generation.surfaces.a1111.fields import as_flag, as_number
from imodel_site.lib.errors import Refused
from studio.images import BLACK

UNITS = 3
MODEL = "openpose"
NONE = ("", "none", "null")
# Modules that read a skeleton off a photo: all of them do it in our one way, body joints only.
MODULES = ("openpose", "openpose_full", "openpose_face", "openpose_faceonly", "openpose_hand", "dw_openpose_full")
BODY = ("openpose",)
RESIZE: Mapping[str, str] = {
    "just resize": "stretch", "resize": "stretch", "0": "stretch",
    "crop and resize": "crop", "scale to fit (inner fit)": "crop", "inner fit (scale to fit)": "crop", "1": "crop",
    "resize and fill": "pad", "envelope (outer fit)": "pad", "outer fit (shrink to fit)": "pad", "2": "pad",
}  # fmt: skip
BALANCED = ("balanced", "0")
ALIASES: Mapping[str, str] = {"input_image": "image", "guidance": "guidance_end", "lowvram": "low_vram"}
REFUSED = ("mask", "effective_region_mask", "advanced_weighting", "ipadapter_input")
PASSES = {"both": (True, True), "low res only": (True, False)}


@dataclass(frozen=True)
class Unit:
    """One unit that counts: ``picture`` is a skeleton, or a photo to read one off where ``detect``."""

    picture: Image.Image
    weight: float
    start: float
    end: float
    detect: bool
    save_map: bool
    in_second: bool


def units_of(scripts: Mapping[str, Any], *, size: tuple[int, int]) -> tuple[list[Unit], list[str]]:
    """The units that are enabled, their pictures brought to ``size``, and what has to be said about them.

    Raises:
        Refused: ``control_...``, ``image_not_base64``, ``photo_...``; ``field`` names the unit.
    """
    warnings: list[str] = []
    found = [_unit(f"ControlNet.args.{place}", unit, size, warnings) for place, unit in _counted(scripts)]
    if sum(unit.detect for unit in found) > 1:
        raise _refused("control_unsupported", "Only one unit may have a module that reads a photo.", "ControlNet")
    return found, warnings


def _counted(scripts: Mapping[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Those that are enabled, with their places; counted before the first of their pictures is decoded."""
    units = ({ALIASES.get(name, name): value for name, value in given.items()} for given in _args(scripts))
    found = [(place, unit) for place, unit in enumerate(units) if _enabled(unit)]
    if len(found) > UNITS:
        raise _refused("control_out_of_range", f"At most {UNITS} ControlNet units at once.", "ControlNet")
    return found


def _args(scripts: Mapping[str, Any]) -> list[dict[str, Any]]:
    script = next((value for name, value in scripts.items() if name.lower() == "controlnet"), None) or {}
    args = script.get("args") if isinstance(script, dict) else script
    if isinstance(args, dict):  # some clients write one unit without a list
        args = [args]
    if not isinstance(args, list | None):
        raise _refused("control_invalid", "ControlNet: args must be a list of units.", "ControlNet")
    return [unit for unit in args or [] if isinstance(unit, dict)]


def _enabled(unit: Mapping[str, Any]) -> bool:
    """The server's default is false; clients of before that field say it by sending a picture."""
    said = as_flag(unit.get("enabled"))
    return bool(_picture_text(unit)) if said is None else said


def _picture_text(unit: Mapping[str, Any]) -> Any:
    image = unit.get("image")
    return image.get("image") if isinstance(image, dict) else image


def _unit(name: str, unit: Mapping[str, Any], size: tuple[int, int], warnings: list[str]) -> Unit:
    for field in REFUSED:
        if unit.get(field) not in (None, "", [], {}):
            raise _refused("control_unsupported", f"ControlNet: {field} is not supported here.", f"{name}.{field}")
    _check_model(name, unit)
    module = _word(unit.get("module")).lower()
    detect = module not in NONE
    if detect:
        check_module(module, f"{name}.module")
        warnings += _about_module(module, unit)
    if _word(unit.get("control_mode", "Balanced")).lower() not in BALANCED:
        warnings.append("ControlNet: control_mode is always Balanced here")
    low, high = _passes(name, unit)
    if not low:
        raise _refused("control_unsupported", "ControlNet: hr_option can not be High res only here.", name)
    return Unit(
        picture=_fitted(name, unit, size, detect=detect),
        weight=_number(name, unit, "weight", 1.0),
        start=_number(name, unit, "guidance_start", 0.0),
        end=_number(name, unit, "guidance_end", 1.0),
        detect=detect,
        save_map=as_flag(unit.get("save_detected_map")) is not False,
        in_second=high,
    )


def _check_model(name: str, unit: Mapping[str, Any]) -> None:
    model = _word(unit.get("model")).lower()
    if model in NONE:
        raise _refused("control_model_missing", "You have not selected any ControlNet Model.", f"{name}.model")
    if MODEL not in model and "pose" not in model:
        words = f"ControlNet model not found: {model[:60]}. /controlnet/model_list lists those here."
        raise _refused("control_model_unknown", words, f"{name}.model")


def check_module(module: str, field: str) -> None:
    """Raise Refused ``control_module_unknown`` for one that we have not."""
    if module not in MODULES:
        words = f"module {module[:60]!r} not found. /controlnet/module_list lists those here."
        raise _refused("control_module_unknown", words, field)


def _about_module(module: str, unit: Mapping[str, Any]) -> list[str]:
    found = []
    if module not in BODY:
        found.append(f"ControlNet: {module} reads body joints only here: no hands, no face mesh")
    resolution = as_number(unit.get("processor_res"))
    if resolution is not None and resolution > 0 and not as_flag(unit.get("pixel_perfect")):
        found.append("ControlNet: processor_res was not applied: the pose is read at the picture's own size")
    return found


def _passes(name: str, unit: Mapping[str, Any]) -> tuple[bool, bool]:
    said = _word(unit.get("hr_option", "Both")).lower() or "both"
    return PASSES.get(said.removeprefix("hiresfixoption.").replace("_", " "), (said in ("0", "1"), said == "0"))


def _fitted(name: str, unit: Mapping[str, Any], size: tuple[int, int], *, detect: bool) -> Image.Image:
    text = _picture_text(unit)
    if not text:
        raise _refused("control_image_missing", "ControlNet is enabled but no input image is given.", f"{name}.image")
    data = pictures.decoded(text, field=f"{name}.image")
    picture = pictures.opened(data, field=f"{name}.image", background=BLACK)
    mode = _word(unit.get("resize_mode", "Crop and Resize")).lower()
    if mode not in RESIZE:
        raise _refused("control_invalid", f"ControlNet: there is no resize_mode {mode[:40]!r}.", f"{name}.resize_mode")
    return fitted(picture, size, RESIZE[mode])


def fitted(picture: Image.Image, size: tuple[int, int], mode: str) -> Image.Image:
    """The picture at ``size``: stretched, cut, or with black around it, which a skeleton has anyway."""
    if mode == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    if mode == "pad":
        return ImageOps.pad(picture, size, Image.Resampling.LANCZOS, color=BLACK)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _number(name: str, unit: Mapping[str, Any], field: str, default: float) -> float:
    value = unit.get(field)
    found = default if value is None else as_number(value)
    if found is None:
        raise _refused("control_invalid", f"ControlNet: {field} must be a number.", f"{name}.{field}")
    return found


def _word(value: Any) -> str:
    """A word, also where a client's slip made a list of it."""
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return "" if value is None else str(value).strip()


def _refused(code: str, words: str, field: str) -> Refused:
    return Refused(code, words, field=field, status=422)
