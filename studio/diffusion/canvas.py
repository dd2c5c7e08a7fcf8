"""The pictures around a repaint: what the model is given, and how its picture becomes the result.

Follows AUTOMATIC1111: the mask is inverted, blurred, and used twice, hard (at one half) by the model and soft when the
image's own pixels are put back; "only masked" works on a box around the mask, brought to the repaint's full size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from studio.diffusion.types import Control, Fill, Generate, Resize
from studio.errors import InputError

Box = tuple[int, int, int, int]
LANCZOS = Image.Resampling.LANCZOS
GREY = (128, 128, 128)


@dataclass(frozen=True)
class Canvas:
    """What the model sees, and what is needed to put its picture back.

    Attributes:
        size: (width, height) of the repaint in pixels.
        image: RGB of ``size``, the masked area filled as asked.
        mask: L of ``size``, white is repainted; all white without a mask.
        controls: RGB of ``size``, in the request's order.
        under: the image the result is pasted into, None when the model's picture is the result.
        soft: L of ``under``'s size, how much of the model's picture is taken.
        box: (left, top, right, bottom) of the repaint in ``under``.
    """

    size: tuple[int, int]
    image: Image.Image
    mask: Image.Image
    controls: tuple[Image.Image, ...]
    under: Image.Image | None = None
    soft: Image.Image | None = None
    box: Box = (0, 0, 0, 0)


def prepare(request: Generate) -> Canvas:
    """Lay out a checked request.

    Raises:
        InputError: ``mask_empty`` when the mask leaves nothing to repaint.
    """
    size = (request.width or 0, request.height or 0)
    white = Image.new("L", size, 255)
    if request.image is None:
        return Canvas(size, Image.new("RGB", size), white, _stretched(request.controls, size))
    image = request.image.convert("RGB")
    controls = tuple(control.image.convert("RGB") for control in request.controls)
    if request.mask is None:
        placed = tuple(_placed(one, image.size, size, request.resize) for one in controls)
        return Canvas(size, fit(image, size, request.resize), white, placed)
    soft = soften(request.mask, blur=request.mask_blur, invert=request.mask_invert)
    return (
        _only_masked(request, image, soft, controls) if request.only_masked else _whole(request, image, soft, controls)
    )


def finish(canvas: Canvas, picture: Image.Image, *, paste_back: bool) -> Image.Image:
    """The result: the model's picture, pasted into the image it belongs to.

    Args:
        canvas: as :func:`prepare` made it.
        picture: RGB of the canvas's size.
        paste_back: keep the image's own pixels where the soft mask is black (exactly) and mix them where it is grey.
    """
    if canvas.under is None or canvas.soft is None:
        return picture
    left, top, right, bottom = canvas.box
    repainted = canvas.under.copy()
    repainted.paste(picture.resize((right - left, bottom - top), LANCZOS), (left, top))
    return Image.composite(repainted, canvas.under, canvas.soft) if paste_back else repainted


def soften(mask: Image.Image, *, blur: float, invert: bool) -> Image.Image:
    """The mask as L, inverted when asked, its edge softened by a Gaussian of ``blur`` px."""
    plain = mask.convert("L")
    values = np.asarray(ImageOps.invert(plain) if invert else plain)
    if blur > 0:
        kernel = 2 * int(2.5 * blur + 0.5) + 1
        values = cv2.GaussianBlur(values, (kernel, kernel), blur)
    if not (values >= 128).any():
        raise InputError("mask_empty", "The mask leaves nothing to repaint: paint white what should change.")
    return Image.fromarray(values)


def fit(image: Image.Image, size: tuple[int, int], resize: Resize) -> Image.Image:
    """The picture at ``size``: stretched, cut, or padded with its own border."""
    if image.size == size:
        return image
    if resize is Resize.STRETCH:
        return image.resize(size, LANCZOS)
    if resize is Resize.CROP:
        return ImageOps.fit(image, size, LANCZOS)
    return _padded(ImageOps.contain(image, size, LANCZOS), size)


def masked_box(soft: Image.Image, *, padding: int, size: tuple[int, int]) -> Box:
    """The box around the mask, grown by ``padding`` px and then to the shape of ``size``, inside the picture."""
    left, top, right, bottom = soft.getbbox() or (0, 0, *soft.size)
    x = _grown(left - padding, right + padding, soft.width)
    y = _grown(top - padding, bottom + padding, soft.height)
    wide, high = x[1] - x[0], y[1] - y[0]
    if wide * size[1] < high * size[0]:
        x = _widened(x, round(high * size[0] / size[1]), soft.width)
    else:
        y = _widened(y, round(wide * size[1] / size[0]), soft.height)
    return x[0], y[0], x[1], y[1]


def smear(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The masked area filled with its surroundings' colours: normalised blurs from coarse to fine."""
    known = (np.asarray(mask) < 128).astype(np.float32)
    pixels = np.asarray(image.convert("RGB"), np.float32)
    filled = np.full_like(pixels, _mean(pixels, known))
    for sigma in (max(image.size) / 4, max(image.size) / 16, max(image.size) / 64):
        weight = cv2.GaussianBlur(known, (0, 0), sigma)[..., None]
        colour = cv2.GaussianBlur(pixels * known[..., None], (0, 0), sigma) / np.maximum(weight, 1e-6)
        trust = np.clip(weight * 20, 0, 1)
        filled = filled * (1 - trust) + colour * trust
    result = np.where(known[..., None] > 0, pixels, filled)
    return Image.fromarray(np.clip(np.rint(result), 0, 255).astype(np.uint8))


def _whole(request: Generate, image: Image.Image, soft: Image.Image, controls: tuple[Image.Image, ...]) -> Canvas:
    size = (request.width or 0, request.height or 0)
    under, mask = fit(image, size, request.resize), fit(soft, size, request.resize)
    placed = tuple(_placed(one, image.size, size, request.resize) for one in controls)
    start = smear(under, mask) if request.fill == Fill.FILL else under
    return Canvas(size, start, mask, placed, under=under, soft=mask, box=(0, 0, *size))


def _only_masked(request: Generate, image: Image.Image, soft: Image.Image, controls: tuple[Image.Image, ...]) -> Canvas:
    size = (request.width or 0, request.height or 0)
    box = masked_box(soft, padding=request.only_masked_padding, size=size)
    start, mask = image.crop(box).resize(size, LANCZOS), soft.crop(box).resize(size, LANCZOS)
    placed = tuple(
        (one.crop(box) if one.size == image.size else one).resize(size, LANCZOS)  # drawn over the image: cut along
        for one in controls
    )
    start = smear(start, mask) if request.fill == Fill.FILL else start
    return Canvas(size, start, mask, placed, under=image, soft=soft, box=box)


def _placed(one: Image.Image, drawn_over: tuple[int, int], size: tuple[int, int], resize: Resize) -> Image.Image:
    """A control drawn over the image goes where the image goes; any other is stretched."""
    return fit(one, size, resize if one.size == drawn_over else Resize.STRETCH)


def _stretched(controls: tuple[Control, ...], size: tuple[int, int]) -> tuple[Image.Image, ...]:
    return tuple(fit(control.image.convert("RGB"), size, Resize.STRETCH) for control in controls)


def _padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    x, y = (size[0] - image.width) // 2, (size[1] - image.height) // 2
    around = ((y, size[1] - image.height - y), (x, size[0] - image.width - x))
    values = np.asarray(image)
    return Image.fromarray(np.pad(values, around + ((0, 0),) * (values.ndim - 2), mode="edge"))


def _grown(start: int, end: int, limit: int) -> tuple[int, int]:
    return max(start, 0), min(end, limit)


def _widened(span: tuple[int, int], wanted: int, limit: int) -> tuple[int, int]:
    wanted = min(wanted, limit)
    start = min(max(span[0] - (wanted - (span[1] - span[0])) // 2, 0), limit - wanted)
    return start, start + wanted


def _mean(pixels: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    total = float(known.sum())
    if total == 0:
        return np.asarray(GREY, np.float32)
    return np.asarray((pixels * known[..., None]).sum(axis=(0, 1)) / total, np.float32)
