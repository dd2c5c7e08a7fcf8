"""The "extras" tab: pictures made larger, and what a picture's file says of its making."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageOps

from generation.surfaces import pictures
from generation.surfaces.a1111.fields import Field, read
from imodel_site.lib.errors import Refused
from imodel_site.lib.images import ROOM

FIELDS: Mapping[str, Field] = {
    "resize_mode": Field("whole", 0),
    "show_extras_results": Field("flag", True),
    "gfpgan_visibility": Field("number", 0),
    "codeformer_visibility": Field("number", 0),
    "codeformer_weight": Field("number", 0),
    "upscaling_resize": Field("number", 2),
    "upscaling_resize_w": Field("whole", 512),
    "upscaling_resize_h": Field("whole", 512),
    "upscaling_crop": Field("flag", True),
    "upscaler_1": Field("text", "None"),
    "upscaler_2": Field("text", "None"),
    "extras_upscaler_2_visibility": Field("number", 0),
    "upscale_first": Field("flag", False),
}
UPSCALERS: Mapping[str, Image.Resampling | None] = {
    "None": None,
    "Lanczos": Image.Resampling.LANCZOS,
    "Nearest": Image.Resampling.NEAREST,
}
MOST_SIDE, MOST_PIXELS = 12_000, 40_000_000
MOST_AT_ONCE = 16
# A name only where a fact begins, and all of it bounded: else a text made for it takes minutes.
FACT = re.compile(r'(?:^|,)\s*(\w[\w \-/]{0,60}):\s*("(?:\\.|[^"\\]){0,2000}"|[^,]*)(?=,|$)')
MOST_FACTS = 10_000  # characters


def single(given: Mapping[str, Any]) -> dict[str, Any]:
    """``/extra-single-image``."""
    wishes = _wishes(given)
    data, said, _pixels = _larger(given.get("image"), wishes, "image", left=MOST_PIXELS)
    return {"image": pictures.text_of(data), "html_info": said}


def batch(given: Mapping[str, Any]) -> dict[str, Any]:
    """``/extra-batch-images``."""
    wishes, asked = _wishes(given), given.get("imageList")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_AT_ONCE:
        raise _invalid("imageList", f"must be a list of 1 to {MOST_AT_ONCE} pictures")
    done, left = [], MOST_PIXELS
    for k, one in enumerate(asked):
        text = one.get("data") if isinstance(one, dict) else None
        done.append(_larger(text, wishes, f"imageList.{k}", left=left))
        left -= done[-1][2]
    return {
        "images": [pictures.text_of(data) for data, _said, _pixels in done],
        "html_info": "".join(said for _, said, _ in done),
    }


def _wishes(given: Mapping[str, Any]) -> dict[str, Any]:
    wishes = read(given, FIELDS)
    for name in ("gfpgan_visibility", "codeformer_visibility"):
        if wishes[name] > 0:
            raise _invalid(name, "must be 0: no face restoration weights are installed")
    wishes |= {name: _upscaler(name, wishes[name]) for name in ("upscaler_1", "upscaler_2")}
    if not 0 <= wishes["extras_upscaler_2_visibility"] <= 1:
        raise _invalid("extras_upscaler_2_visibility", "must be 0 to 1")
    if wishes["resize_mode"] not in (0, 1):
        raise _invalid("resize_mode", "must be 0 or 1")
    return wishes


def _upscaler(name: str, value: str) -> str:
    for known in UPSCALERS:
        if known.lower() == value.strip().lower():
            return known
    raise _invalid(name, f"must be one of: {', '.join(UPSCALERS)}")


def _larger(text: Any, wishes: Mapping[str, Any], field: str, *, left: int) -> tuple[bytes, str, int]:
    """The picture as PNG, what is said of it, and its pixels, of which so many are left."""
    picture = pictures.opened(pictures.decoded(text, field=field), field=field, most=pictures.MOST_WORKED_ON)
    size = picture.size if wishes["upscaler_1"] == "None" else _size(picture, wishes)
    if size[0] * size[1] > left:
        raise _invalid(field, "is one too many: the results of one call may have 40 megapixels together")
    with ROOM:
        data = pictures.png(_upscaled(picture, size, wishes))
    how = f"{wishes['upscaler_1']}: {picture.width}x{picture.height} to {size[0]}x{size[1]}"
    none = f"{picture.width}x{picture.height}, no upscaler"
    return data, f"<p>{none if wishes['upscaler_1'] == 'None' else how}</p>", size[0] * size[1]


def _upscaled(picture: Image.Image, size: tuple[int, int], wishes: Mapping[str, Any]) -> Image.Image:
    first, second = (UPSCALERS[wishes[name]] for name in ("upscaler_1", "upscaler_2"))
    if first is None:
        return picture
    share = float(wishes["extras_upscaler_2_visibility"])
    resize = ImageOps.fit if wishes["resize_mode"] == 1 and wishes["upscaling_crop"] else Image.Image.resize
    found = resize(picture, size, first)
    return Image.blend(found, resize(picture, size, second), share) if share and second is not None else found


def _size(picture: Image.Image, wishes: Mapping[str, Any]) -> tuple[int, int]:
    """Of the result, within limits."""
    if wishes["resize_mode"] == 0:
        width, height = (round(side * float(wishes["upscaling_resize"])) for side in picture.size)
        return _checked((width, height), "upscaling_resize")
    size = _checked((int(wishes["upscaling_resize_w"]), int(wishes["upscaling_resize_h"])), "upscaling_resize_w")
    if wishes["upscaling_crop"]:
        return size
    scale = max(size[0] / picture.width, size[1] / picture.height)
    return _checked((round(picture.width * scale), round(picture.height * scale)), "upscaling_resize_w")


def _checked(size: tuple[int, int], field: str) -> tuple[int, int]:
    if not all(1 <= side <= MOST_SIDE for side in size) or size[0] * size[1] > MOST_PIXELS:
        raise _invalid(
            field, f"makes a picture of {size[0]}x{size[1]} px: at most {MOST_SIDE} a side and 40 megapixels"
        )
    return size


def _invalid(field: str, why: str) -> Refused:
    return Refused("field_invalid", f"{field} {why}.", field=field, status=422)


# --- png-info ---------------------------------------------------------------------------------------------------------
def png_info(given: Mapping[str, Any]) -> dict[str, Any]:
    """``/png-info``: the file is walked through, not decoded."""
    texts = pictures.parameters_in(pictures.decoded(given.get("image"), field="image"))
    said = texts.get(pictures.KEYWORD, "")
    return {"info": said, "items": texts, "parameters": parameters_of(said)}


def parameters_of(said: str) -> dict[str, str]:
    """An infotext taken apart; empty for none."""
    if not said:
        return {}
    *lines, last = said.split("\n")
    facts = {name.strip(): _plain(value) for name, value in FACT.findall(last[:MOST_FACTS])}
    if "Steps" not in facts:
        lines, facts = [*lines, last], {}
    words = "\n".join(lines)
    prompt, _mark, negative = words.partition("Negative prompt:")
    found = {"Prompt": prompt.strip(), "Negative prompt": negative.strip(), **facts}
    if size := re.fullmatch(r"(\d+)x(\d+)", found.pop("Size", "")):
        found |= {"Size-1": size[1], "Size-2": size[2]}
    return found


def _plain(value: str) -> str:
    if value[:1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    return value.strip()
