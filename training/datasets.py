"""A frozen order's pictures as files: cropped, with their masks, in the folder that the executor reads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from imodel_site.lib import storage
from studio.dataset.types import DataSet, Entry
from studio.errors import InputError


def write(order: Mapping[str, Any], folder: Path) -> Path:
    """Lay out the pictures of an order in kohya's folders, under ``folder``; returns where.

    Raises:
        InputError: ``input_gone``: a file was deleted since; and what the data set's room says of a picture.
    """
    from studio.dataset.folders import write_folder  # OpenCV and its like: for workers only

    raw = folder / "raw"
    raw.mkdir()
    entries = tuple(_entry(number, entry, raw) for number, entry in enumerate(order["entries"]))
    dataset = DataSet(order["trigger"], entries, class_word=order["noun"])
    write_folder(dataset, folder / "dataset")
    shutil.rmtree(raw)
    return folder / "dataset"


def _entry(number: int, entry: Mapping[str, Any], raw: Path) -> Entry:
    image = cut(entry["key"], entry["crop"], raw / f"{number:03d}.png")
    mask = entry.get("mask")
    place = None
    if mask:
        place = cut(mask["key"], entry["crop"] if mask["whole"] else None, raw / f"{number:03d}.mask.png")
    return Entry(
        image=image,
        mask=place,
        caption=entry["caption"],
        view=entry["view"],
        kind=entry["kind"],
        held_out=entry["held_out"],
        flip=entry.get("flip", True),  # orders from before a set could say so have none; repeats the same
        repeats=entry.get("repeats", 1),
    )


def cut(key: str, crop: list[int] | None, to: Path) -> Path:
    """A stored picture, or the part of it that was chosen, as a file of this machine.

    Args:
        crop: [left, top, right, bottom] in pixels; None takes all of it.

    Raises:
        InputError: ``input_gone``.
    """
    with local(key) as path, Image.open(path) as picture:
        part = picture if crop is None else picture.crop((crop[0], crop[1], crop[2], crop[3]))
        part.convert("L" if to.name.endswith(".mask.png") else "RGB").save(to, "PNG", compress_level=1)
    return to


@contextmanager
def local(key: str) -> Iterator[Path]:
    """A stored file as one of this machine.

    Raises:
        InputError: ``input_gone``: it was deleted since it was ordered.
    """
    try:
        opened = storage.local_path(key)
        path = opened.__enter__()
    except FileNotFoundError as error:
        raise InputError("input_gone", "A file of this order was deleted before it began.") from error
    try:
        yield path
    finally:
        opened.__exit__(None, None, None)
