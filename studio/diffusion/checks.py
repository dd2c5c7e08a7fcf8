"""Checking a request before anything is computed: every field, each refusal with a code that stays.

=============================  ====================================================================
``prompt_invalid``             not text, or over 20,000 characters
``seed_out_of_range``          not -1 and outside 0..2**32-1, or a tuple of another length
``batch_out_of_range``         batch_size or iterations
``steps_out_of_range``         outside 1..150
``steps_too_few``              fewer than one step is left after ``denoising_strength``
``guidance_out_of_range``      outside 0..30, NaN included
``size_invalid``               width or height outside the engine's limits or not a multiple
``strength_out_of_range``      not in (0, 1]
``clip_skip_out_of_range``     outside 1..12
``image_invalid``              not a picture, or a side under 8 or over 12,000 px
``image_missing``              a mask without an image, or an edit engine without one
``mask_wrong_size``            not of the image's size
``mask_option_out_of_range``   mask_blur, padding, fill or resize
``control_...``                ``unknown``, ``out_of_range``
``adapter_out_of_range``       a weight that is NaN or beyond 4, or more than 8 adapters
``not_supported_by_engine``    the engine takes no such thing
``unknown_sampler`` ...        see ``samplers.resolve``
=============================  ====================================================================
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import NoReturn

from PIL import Image

from studio.diffusion.samplers import resolve
from studio.diffusion.types import MAX_SEED, Capabilities, Control, Defaults, Fill, Generate, Resize
from studio.errors import InputError

MAX_PROMPT = 20_000
MAX_STEPS = 150
MAX_BATCH = 8
MAX_ITERATIONS = 100
MAX_GUIDANCE = 30.0
MAX_ADAPTERS = 8
MAX_CONTROLS = 4
IMAGE_SIDES = (8, 12_000)


def complete(request: Generate, defaults: Defaults, capabilities: Capabilities) -> Generate:
    """The request with the family's defaults filled in, its seeds drawn and every field checked.

    Raises:
        InputError: a code of the module's table.
    """
    filled = replace(
        request,
        steps=defaults.steps if request.steps is None else request.steps,
        guidance_scale=defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale,
        sampler=defaults.sampler if request.sampler is None else request.sampler,
        width=defaults.width if request.width is None else request.width,
        height=defaults.height if request.height is None else request.height,
    )
    check(filled, capabilities)
    sampler, scheduler = resolve(str(filled.sampler), filled.scheduler)
    return replace(filled, sampler=sampler, scheduler=scheduler, seed=seeds_of(filled))


def seeds_of(request: Generate) -> tuple[int, ...]:
    """One seed per picture: as named, or counting on from the first; -1 draws the first."""
    count = request.batch_size * request.iterations
    if isinstance(request.seed, tuple):
        return request.seed
    first = random.SystemRandom().randint(0, MAX_SEED) if request.seed == -1 else request.seed
    return tuple((first + k) % (MAX_SEED + 1) for k in range(count))


def check(request: Generate, capabilities: Capabilities) -> None:
    """Refuse what is out of range or what the engine does not take; see the module's table."""
    _check_text(request, capabilities)
    _check_counts(request)
    _check_seed(request)
    _check_size(request, capabilities)
    _check_images(request, capabilities)
    _check_mask_options(request)
    _check_controls(request.controls, capabilities)
    _check_adapters(request, capabilities)
    if capabilities.samplers:
        resolve(str(request.sampler), request.scheduler)


def _refuse(code: str, message: str) -> NoReturn:
    raise InputError(code, message)


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _between(value: object, least: float, most: float) -> bool:
    """NaN is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _check_text(request: Generate, capabilities: Capabilities) -> None:
    for name, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
        if not isinstance(text, str) or len(text) > MAX_PROMPT:
            _refuse("prompt_invalid", f"{name} must be text of at most {MAX_PROMPT} characters.")
    if request.negative_prompt and not capabilities.negative_prompt:
        _refuse("not_supported_by_engine", "This engine takes no negative prompt.")


def _check_counts(request: Generate) -> None:
    if not _whole(request.batch_size, 1, MAX_BATCH) or not _whole(request.iterations, 1, MAX_ITERATIONS):
        _refuse("batch_out_of_range", f"batch_size must be 1 to {MAX_BATCH} and iterations 1 to {MAX_ITERATIONS}.")
    if not _whole(request.steps, 1, MAX_STEPS):
        _refuse("steps_out_of_range", f"steps must be a whole number from 1 to {MAX_STEPS}, not {request.steps!r}.")
    if not _between(request.guidance_scale, 0.0, MAX_GUIDANCE):
        _refuse(
            "guidance_out_of_range", f"guidance_scale must be 0 to {MAX_GUIDANCE:g}, not {request.guidance_scale!r}."
        )
    if not _whole(request.clip_skip, 1, 12):
        _refuse("clip_skip_out_of_range", f"clip_skip must be a whole number from 1 to 12, not {request.clip_skip!r}.")
    if not _between(request.denoising_strength, 0.0, 1.0) or request.denoising_strength == 0:
        _refuse(
            "strength_out_of_range",
            f"denoising_strength must be above 0 and at most 1, not {request.denoising_strength!r}.",
        )
    if int((request.steps or 0) * request.denoising_strength) < 1:
        _refuse(
            "steps_too_few",
            f"{request.steps} steps at denoising_strength {request.denoising_strength:g} leave none to run: raise one.",
        )


def _check_seed(request: Generate) -> None:
    count = request.batch_size * request.iterations
    seeds = request.seed if isinstance(request.seed, tuple) else (request.seed,)
    if isinstance(request.seed, tuple) and len(seeds) != count:
        _refuse(
            "seed_out_of_range", f"{len(seeds)} seeds were given for {count} pictures: give one each, or one number."
        )
    least = 0 if isinstance(request.seed, tuple) else -1
    if not all(_whole(seed, least, MAX_SEED) for seed in seeds):
        _refuse("seed_out_of_range", f"A seed must be a whole number from 0 to {MAX_SEED}, or -1 to draw one.")


def _check_size(request: Generate, capabilities: Capabilities) -> None:
    least, most, multiple = capabilities.least_side, capabilities.most_side, capabilities.multiple
    for name, side in (("width", request.width), ("height", request.height)):
        if not _whole(side, least, most) or not isinstance(side, int) or side % multiple:
            _refuse("size_invalid", f"{name} must be a multiple of {multiple} from {least} to {most} px, not {side!r}.")
    if (request.width or 0) * (request.height or 0) > capabilities.most_pixels:
        _refuse("size_invalid", f"width x height must be at most {capabilities.most_pixels:,} pixels.")


def _check_picture(image: object, name: str) -> None:
    least, most = IMAGE_SIDES
    if not isinstance(image, Image.Image) or not least <= min(image.size) <= max(image.size) <= most:
        _refuse("image_invalid", f"{name} must be a picture with sides of {least} to {most} px.")


def _check_images(request: Generate, capabilities: Capabilities) -> None:
    if request.mask is not None and not capabilities.masks:
        _refuse("not_supported_by_engine", "This engine takes no mask.")
    if request.image is None and (request.mask is not None or capabilities.needs_image):
        _refuse("image_missing", "An image is needed: what is there to repaint or to edit?")
    if request.image is None and request.denoising_strength < 1:
        _refuse("image_missing", "denoising_strength below 1 starts from an image: give one, or leave it at 1.")
    if request.image is not None:
        _check_picture(request.image, "image")
    if request.mask is not None and request.image is not None:
        _check_picture(request.mask, "mask")
        if request.mask.size != request.image.size:
            _refuse(
                "mask_wrong_size",
                f"The mask is {request.mask.size[0]}x{request.mask.size[1]} px and the image "
                f"{request.image.size[0]}x{request.image.size[1]} px: draw the mask over this very image.",
            )
    for reference in request.references:
        if reference.role not in capabilities.reference_roles:
            _refuse("not_supported_by_engine", f"This engine takes no {reference.role} reference.")
        _check_picture(reference.image, "reference")


def _check_mask_options(request: Generate) -> None:
    if not _between(request.mask_blur, 0.0, 64.0):
        _refuse("mask_option_out_of_range", f"mask_blur must be 0 to 64 px, not {request.mask_blur!r}.")
    if not _whole(request.only_masked_padding, 0, 1024):
        _refuse("mask_option_out_of_range", "only_masked_padding must be a whole number of 0 to 1024 px.")
    if request.fill not in tuple(Fill) or request.resize not in tuple(Resize):
        _refuse("mask_option_out_of_range", "fill must be 0 to 3, resize one of stretch, crop, pad.")
    if request.only_masked and request.mask is None:
        _refuse("image_missing", "only_masked needs a mask.")


def _check_controls(controls: tuple[Control, ...], capabilities: Capabilities) -> None:
    if len(controls) > MAX_CONTROLS:
        _refuse("control_out_of_range", f"At most {MAX_CONTROLS} controls at once.")
    for control in controls:
        if control.kind not in capabilities.controls:
            known = ", ".join(sorted(capabilities.controls)) or "none"
            _refuse("control_unknown", f"These weights have no {control.kind!r} control; they have: {known}.")
        _check_picture(control.image, "control image")
        if not _between(control.weight, 0.0, 2.0):
            _refuse("control_out_of_range", f"A control's weight must be 0 to 2, not {control.weight!r}.")
        if not (_between(control.start, 0.0, 1.0) and _between(control.end, 0.0, 1.0) and control.start < control.end):
            _refuse("control_out_of_range", "A control's start and end must be 0 <= start < end <= 1.")


def _check_adapters(request: Generate, capabilities: Capabilities) -> None:
    if request.adapters and not capabilities.adapters:
        _refuse("not_supported_by_engine", "This engine takes no adapters.")
    if len(request.adapters) > MAX_ADAPTERS:
        _refuse("adapter_out_of_range", f"At most {MAX_ADAPTERS} adapters at once.")
    for use in request.adapters:
        weights = (use.weight, use.weight if use.text_encoder_weight is None else use.text_encoder_weight)
        if not all(_between(weight, -4.0, 4.0) for weight in weights):
            _refuse("adapter_out_of_range", f"An adapter's weight must be -4 to 4, not {weights!r}.")
