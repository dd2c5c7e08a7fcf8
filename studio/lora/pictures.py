"""A set's pictures brought to their bucket's size, mirrored where asked, with the masks of each repaint task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from studio.dataset.types import Entry
from studio.errors import InputError

Size = tuple[int, int]
Mask = NDArray[np.bool_]
MOST_PIXELS = 40_000_000

# What an inpainting family is asked to repaint; a task may have several masks, of which one is drawn each time.
TASKS = ("all", "keep", "swap", "scene")
VARIANTS = (0, 1, 2, 2, 3)  # the task of each of a picture's masks
TIGHT, LOOSE, AROUND = 1 / 64, 1 / 12, 1 / 6  # how far masks reach beyond the garment, in widths of the picture


@dataclass(frozen=True)
class Prepared:
    """One picture ready to be encoded.

    Attributes:
        pixels: (H, W, 3) uint8.
        garment: (H, W) bool, None when its mask is not known.
        time_ids: original height and width, top and left of the crop, height and width: what SDXL is told (Podell et
            al. 2023, arXiv:2307.01952, section 2.2).
    """

    pixels: NDArray[np.uint8]
    garment: Mask | None
    time_ids: tuple[int, int, int, int, int, int]


def picture_size(entry: Entry) -> Size:
    """(width, height) of an entry's picture, from its header.

    Raises:
        InputError: ``picture_unreadable``, ``picture_too_large``.
    """
    with _opened(entry.image) as picture:
        upright = picture.getexif().get(0x0112, 1) < 5
        return picture.size if upright else (picture.height, picture.width)


def prepare(entry: Entry, size: Size, *, flip: bool) -> Prepared:
    """Scale to cover ``size`` (width, height), cut the middle, mirror.

    Raises:
        InputError: ``picture_unreadable``, ``picture_too_large``, ``mask_wrong_size``, ``mask_empty``.
    """
    picture = _read(entry.image).convert("RGB")
    whole, corner = _cover(picture.size, size)
    mask = None if entry.mask is None else _garment(entry.mask, picture.size, whole, corner, size)
    pixels = np.asarray(_cut(picture, whole, corner, size, Image.Resampling.LANCZOS))
    if flip:
        pixels, mask = pixels[:, ::-1], None if mask is None else mask[:, ::-1]
    ids = (picture.height, picture.width, corner[1], corner[0], size[1], size[0])
    return Prepared(np.ascontiguousarray(pixels), None if mask is None else np.ascontiguousarray(mask), ids)


def repaint_masks(garment: Mask | None, size: Size) -> NDArray[np.bool_]:
    """(5, H, W) masks, True is repainted, in the order of :data:`VARIANTS`; (1, H, W) of True without a garment.

    A garment that is to be painted in another's place does not fit its mask, hence the loose one.
    """
    everything = np.ones((size[1], size[0]), bool)
    if garment is None:
        return everything[None]
    grown = [_grown(garment, share * size[0]) for share in (TIGHT, LOOSE, AROUND)]
    return np.stack([everything, ~garment, grown[0], grown[1], ~grown[2]])


def task_odds(tasks: tuple[float, ...], *, masked: bool) -> NDArray[np.float64]:
    """(variants,) cumulative odds, ending at 1, of each of :func:`repaint_masks`."""
    if not masked:
        return np.ones(1)
    each = np.array([tasks[task] / VARIANTS.count(task) for task in VARIANTS])
    return np.asarray(np.cumsum(each) / each.sum())


def _grown(mask: Mask, pixels: float) -> Mask:
    radius = max(1, round(pixels))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), bool)


def _garment(path: Path, photo: Size, whole: Size, corner: Size, size: Size) -> Mask:
    mask = _read(path).convert("L")
    if mask.size != photo:
        raise InputError("mask_wrong_size", f"{path.name} is {mask.size[0]}x{mask.size[1]} px, its picture is not.")
    found = np.asarray(np.asarray(_cut(mask, whole, corner, size, Image.Resampling.BOX)) >= 128)
    if not found.any():
        raise InputError("mask_empty", f"{path.name} marks nothing of what is trained on: paint the garment white.")
    return found


def _cover(photo: Size, size: Size) -> tuple[Size, Size]:
    """The size at which the photo just covers the bucket, and where the bucket's corner lies in it."""
    scale = max(size[0] / photo[0], size[1] / photo[1])
    whole = max(size[0], round(photo[0] * scale)), max(size[1], round(photo[1] * scale))
    return whole, ((whole[0] - size[0]) // 2, (whole[1] - size[1]) // 2)


def _cut(picture: Image.Image, whole: Size, corner: Size, size: Size, how: Image.Resampling) -> Image.Image:
    scaled = picture if picture.size == whole else picture.resize(whole, how)
    return scaled.crop((*corner, corner[0] + size[0], corner[1] + size[1]))


def _read(path: Path) -> Image.Image:
    with _opened(path) as picture:
        try:
            return ImageOps.exif_transpose(picture)
        except (OSError, SyntaxError, ValueError) as error:
            raise _unreadable(path) from error


def _opened(path: Path) -> Image.Image:
    try:
        picture = Image.open(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path) from error
    if picture.width * picture.height > MOST_PIXELS:
        raise InputError("picture_too_large", f"{path.name} has more than 40 megapixels: make it smaller.")
    return picture


def _unreadable(path: Path) -> InputError:
    return InputError("picture_unreadable", f"{path.name} can not be read as a picture. Leave it out or save it anew.")
