"""Orders and requests from JSON: field by field as the dataclasses have them, pictures by absolute path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.diffusion.types import AdapterUse, Control, Fill, Generate, Reference, Resize, Role
from studio.images import open_mask, open_photo
from studio.serve.fields import Fields, is_number
from studio.shoot.own import persona_from, photo_pose_from, pose_from, scene_from
from studio.shoot.presets import Kind
from studio.shoot.types import Order

BLACK = (0, 0, 0)


def order_of(values: object) -> Order:
    """A shoot's order, its pictures opened; what its values may be is :func:`studio.shoot.flow.check`'s.

    Raises:
        InputError: ``order_<field>_invalid``, ``order_field_unknown``; ``photo_...`` and ``mask_...``.
    """
    fields, base = Fields("order", values), Order()
    photo, mask = fields.path("photo", None), fields.path("mask", None)
    order = Order(
        kind=_kind(fields),
        garment=fields.text("garment", base.garment),
        persona=persona_from(fields.any("persona", base.persona)),
        scene=scene_from(fields.any("scene", base.scene)),
        pose=pose_from(fields.any("pose", base.pose)),
        photo_pose=photo_pose_from(fields.any("photo_pose", base.photo_pose)),
        crop=fields.text("crop", base.crop),
        outfit=fields.text("outfit", base.outfit),
        count=fields.whole("count", base.count),
        best_of=fields.whole("best_of", base.best_of),
        seed=fields.whole("seed", base.seed),
        size=fields.pair("size", base.size),
        engine=fields.text("engine", base.engine),
        steps=fields.whole("steps", base.steps),
        guidance_scale=fields.number("guidance_scale", base.guidance_scale),
        sampler=fields.text("sampler", base.sampler),
        adapters=tuple((use.path, use.weight) for use in _adapters(fields)),
        worn=fields.text("worn", base.worn),
    )
    fields.finish()
    return _with_pictures(order, fields, photo, mask)


def _with_pictures(order: Order, fields: Fields, photo: Path | None, mask: Path | None) -> Order:
    if photo is None and order.photo_pose is not None:
        fields.refuse("photo_pose", "belongs to a photo; give that too")
    if photo is None:
        return order if mask is None else fields.refuse("mask", "belongs to a photo; give that too")
    picture = open_photo(photo)
    return replace(order, photo=picture, mask=None if mask is None else open_mask(mask, size=picture.size))


def _kind(fields: Fields) -> Kind:
    name = fields.text("kind", Kind.MODEL.value)
    return Kind(name) if name in set(Kind) else fields.refuse("kind", f"must be one of: {', '.join(Kind)}")


def generate_of(values: object) -> Generate:
    """An expert's request, its pictures opened; the engine itself checks what its values may be.

    Raises:
        InputError: ``request_<field>_invalid``, ``request_field_unknown``; ``photo_...`` and ``mask_...``.
    """
    fields, base = Fields("request", values), Generate("")
    image, mask = fields.path("image", None), fields.path("mask", None)
    request = Generate(
        prompt=fields.text("prompt"),
        negative_prompt=fields.text("negative_prompt", base.negative_prompt),
        seed=_seed(fields),
        batch_size=fields.whole("batch_size", base.batch_size),
        iterations=fields.whole("iterations", base.iterations),
        steps=fields.whole("steps", base.steps),
        guidance_scale=fields.number("guidance_scale", base.guidance_scale),
        width=fields.whole("width", base.width),
        height=fields.whole("height", base.height),
        sampler=fields.text("sampler", base.sampler),
        scheduler=fields.text("scheduler", base.scheduler),
        clip_skip=fields.whole("clip_skip", base.clip_skip),
        denoising_strength=fields.number("denoising_strength", base.denoising_strength),
        mask_blur=fields.number("mask_blur", base.mask_blur),
        mask_invert=fields.flag("mask_invert", base.mask_invert),
        fill=_fill(fields),
        only_masked=fields.flag("only_masked", base.only_masked),
        only_masked_padding=fields.whole("only_masked_padding", base.only_masked_padding),
        resize=_resize(fields),
        paste_back=fields.flag("paste_back", base.paste_back),
        controls=tuple(_control(value) for value in fields.items("controls")),
        adapters=_adapters(fields),
        references=tuple(_reference(value) for value in fields.items("references")),
    )
    fields.finish()
    return _with_image(request, fields, image, mask)


def _with_image(request: Generate, fields: Fields, image: Path | None, mask: Path | None) -> Generate:
    if image is None:
        return request if mask is None else fields.refuse("mask", "belongs to an image; give that too")
    picture = open_photo(image)
    if mask is None:
        return replace(request, image=picture)
    white = open_mask(mask, size=picture.size)
    return replace(request, image=picture, mask=Image.fromarray(white.astype(np.uint8) * 255))


def _seed(fields: Fields) -> int | tuple[int, ...]:
    value = fields.any("seed", -1)
    if type(value) is int:
        return value
    if isinstance(value, list) and value and all(type(seed) is int for seed in value):
        return tuple(value)
    return fields.refuse("seed", "must be a whole number, -1 to draw one, or a list of one for each picture")


def _fill(fields: Fields) -> Fill:
    value = fields.any("fill", int(Fill.ORIGINAL))
    names = {fill.name.lower(): fill for fill in Fill}
    if type(value) is int and value in set(Fill):
        return Fill(value)
    if isinstance(value, str) and value in names:
        return names[value]
    return fields.refuse("fill", f"must be 0 to {max(Fill)}, or one of: {', '.join(names)}")


def _resize(fields: Fields) -> Resize:
    name = fields.text("resize", Resize.STRETCH.value)
    return Resize(name) if name in set(Resize) else fields.refuse("resize", f"must be one of: {', '.join(Resize)}")


def _control(value: object) -> Control:
    fields = Fields("control", value)
    path = fields.path("image")
    kind, weight = fields.text("kind", "openpose"), fields.number("weight", 1.0)
    start, end = fields.number("start", 0.0), fields.number("end", 1.0)
    fields.finish()
    # On black: that is what lies behind a skeleton; our own transparent ones come back right.
    return Control(open_photo(path, background=BLACK), kind, weight, start, end)


def _reference(value: object) -> Reference:
    fields = Fields("reference", value)
    path, role = fields.path("image"), fields.text("role")
    fields.finish()
    if role not in set(Role):
        fields.refuse("role", f"must be one of: {', '.join(Role)}")
    return Reference(open_photo(path), Role(role))


def _adapters(fields: Fields) -> tuple[AdapterUse, ...]:
    return tuple(_adapter(fields, value) for value in fields.items("adapters"))


def _adapter(outer: Fields, value: Any) -> AdapterUse:
    """``[path, weight]``, or an object that may also tell the text encoder's weight."""
    if isinstance(value, list) and len(value) == 2 and is_number(value[1]):
        value = {"path": value[0], "weight": value[1]}
    elif not isinstance(value, dict):
        outer.refuse("adapters", "must each be [path, weight] or an object")
    fields = Fields("adapter", value)
    path, weight = fields.path("path"), fields.number("weight", 1.0)
    encoder = fields.number("text_encoder_weight", None)
    fields.finish()
    return AdapterUse(path, weight, encoder)
