"""Which fields ``/sdapi/v1/txt2img`` and ``/img2img`` have, of what type, and what stands for one that is not sent.

Names and defaults are AUTOMATIC1111's 1.9 and 1.10. ``None`` is taken wherever the default is, as its own clients do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imodel_site.lib.errors import Refused


@dataclass(frozen=True)
class Field:
    """One field: ``kind`` is text, whole, number, flag, list, dict or any."""

    kind: str
    default: Any = None


def _fields(kind: str, **defaults: Any) -> dict[str, Field]:
    return {name: Field(kind, default) for name, default in defaults.items()}


SHARED: Mapping[str, Field] = {
    **_fields("text", prompt="", negative_prompt="", sampler_name=None, scheduler=None, sampler_index="Euler"),
    **_fields("text", refiner_checkpoint=None, script_name=None, force_task_id=None, infotext=None),
    **_fields("whole", seed=-1, subseed=-1, seed_resize_from_h=-1, seed_resize_from_w=-1),
    **_fields("whole", batch_size=1, n_iter=1, steps=50, width=512, height=512),
    **_fields("number", subseed_strength=0.0, cfg_scale=7.0, denoising_strength=0.75, refiner_switch_at=None),
    **_fields("number", eta=None, s_min_uncond=None, s_churn=None, s_tmax=None, s_tmin=None, s_noise=None),
    **_fields("flag", restore_faces=None, tiling=None, do_not_save_samples=False, do_not_save_grid=False),
    **_fields("flag", override_settings_restore_afterwards=True, disable_extra_networks=False),
    **_fields("flag", send_images=True, save_images=False),
    **_fields("list", styles=None, script_args=[]),
    **_fields("dict", override_settings=None, alwayson_scripts={}, comments=None),
}
TEXT: Mapping[str, Field] = {
    **SHARED,
    **_fields("flag", enable_hr=False),
    **_fields("whole", firstphase_width=0, firstphase_height=0, hr_second_pass_steps=0, hr_resize_x=0, hr_resize_y=0),
    **_fields("number", hr_scale=2.0),
    **_fields("text", hr_upscaler=None, hr_checkpoint_name=None, hr_sampler_name=None, hr_scheduler=None),
    **_fields("text", hr_prompt="", hr_negative_prompt=""),
}
IMAGE: Mapping[str, Field] = {
    **SHARED,
    **_fields("list", init_images=None),
    **_fields("text", mask=None, latent_mask=None),
    **_fields("whole", resize_mode=0, mask_blur_x=4, mask_blur_y=4, inpainting_fill=0),
    **_fields("whole", inpaint_full_res_padding=0, inpainting_mask_invert=0),
    **_fields("number", mask_blur=None, image_cfg_scale=None, initial_noise_multiplier=None),
    **_fields("flag", inpaint_full_res=True, include_init_images=False),
}


def read(given: Any, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Every field's value, checked; fields that are not A1111's are left out (:func:`unknown` names them).

    Raises:
        Refused: ``field_invalid`` (422); ``field`` says which.
    """
    if not isinstance(given, dict):
        raise Refused("bad_body", "The body must be a JSON object.", status=422)
    return {name: _value(name, one, given.get(name)) for name, one in fields.items()}


def unknown(given: Mapping[str, Any], fields: Mapping[str, Field]) -> list[str]:
    """What was sent beside A1111's fields."""
    return [str(name)[:60] for name in given if name not in fields]


def _value(name: str, field: Field, value: Any) -> Any:
    if value is None:
        return field.default
    found = _CASTS[field.kind](value)
    if found is None:
        raise Refused(
            "field_invalid", f"{name}: must be {_SAID[field.kind]}, not {value!r:.60}.", field=name, status=422
        )
    return found


def as_whole(value: Any) -> int | None:
    """A whole number, also when it comes as 20.0 or "20"; None for anything else."""
    found = as_number(value)
    return int(found) if found is not None and found == int(found) else None


def as_number(value: Any) -> float | None:
    """A finite number, also as text; True is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and abs(found) < 2**53 else None


def as_flag(value: Any) -> bool | None:
    """True or false, also as 0, 1 or words."""
    said = value.lower() if isinstance(value, str) else str(int(value)) if isinstance(value, bool | int) else ""
    return {"1": True, "0": False, "true": True, "false": False}.get(said)


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_CASTS: Mapping[str, Any] = {
    "text": _as_text,
    "whole": as_whole,
    "number": as_number,
    "flag": as_flag,
    "list": lambda value: value if isinstance(value, list) else None,
    "dict": lambda value: value if isinstance(value, dict) else None,
}
_SAID: Mapping[str, str] = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "list": "a list",
    "dict": "an object",
}
