"""A data set as a folder in kohya's layout, out and in again.

::

    SET/10_zkv17 coat/0001.png   trained on ten times a pass; 0001.txt beside it is its caption
    SET/held_out/1_zkv17 coat/   never trained on: kohya's scripts pass over folders without a number
    SET/reg/1_coat/              regularisation pictures (``--reg_data_dir SET/reg``)
    SET/masks/0001.png           each picture's garment, white (``--masked_loss --conditioning_data_dir SET/masks``)
    SET/dataset.json             ours: trigger, class, and each picture's view and flip

Source: sd-scripts' docs/train_README and docs/masked_loss_README (https://github.com/kohya-ss/sd-scripts). Without
``dataset.json`` the folder's own names say what they can. Pictures are written upright, without metadata, at most 2048
pixels long.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from studio.dataset.types import (
    CAPTIONS,
    KINDS,
    MOST_PICTURES,
    PICTURES,
    RECORD,
    VIEWS,
    DataSet,
    Entry,
    Kind,
    check_trigger,
    clean_caption,
)
from studio.errors import InputError, StorageError
from studio.images import open_photo
from studio.segmentation.mask_files import encode_mask, read_mask
from studio.segmentation.masks import resize_mask

MASKS, HELD_OUT, PRIOR = "masks", "held_out", "reg"
LONGEST = 2048
NUMBERED = re.compile(r"([1-9][0-9]{0,3})_(.{1,80})")
MOST_TEXT_BYTES, MOST_RECORD_BYTES = 16 * 1024, 4 * 1024 * 1024
_FORMAT = 1


def write_folder(dataset: DataSet, folder: Path, *, replace: bool = False) -> DataSet:
    """Write a set, the whole of it or nothing.

    Args:
        dataset: its pictures are read through :func:`studio.images.open_photo`.
        folder: a new or empty folder, in a folder that exists.
        replace: take the place of a data set that is there.

    Returns:
        The set as it lies there.

    Raises:
        InputError: ``dataset_folder_taken``, and what reading a picture or mask raises.
        StorageError: ``folder_missing``, ``disk_full``, ``not_written``.
    """
    if folder.exists() and any(folder.iterdir()) and not (replace and (folder / RECORD).is_file()):
        raise InputError("dataset_folder_taken", f"{folder} is not empty. Choose a new folder.")
    if not folder.parent.is_dir():
        raise StorageError("folder_missing", f"There is no folder {folder.parent}. Create it first.")
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
    try:
        _write(dataset, aside)
        _swap(aside, folder)
    except OSError as error:
        code = "disk_full" if error.errno == 28 else "not_written"
        said = f"The set could not be written to {folder} ({error.strerror})"
        raise StorageError(code, f"{said}. Free some space or choose another place.", retryable=True) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return read_folder(folder)


def _swap(aside: Path, folder: Path) -> None:
    """The new set under its name; an old one goes only after that."""
    old = folder.with_name(f"{aside.name}.old")
    if folder.exists():
        os.replace(folder, old)
    os.replace(aside, folder)
    shutil.rmtree(old, ignore_errors=True)


def _write(dataset: DataSet, root: Path) -> None:
    rows: dict[str, Any] = {}
    for number, entry in enumerate(dataset.entries, 1):
        place = root / _place(dataset, entry)
        place.mkdir(parents=True, exist_ok=True)
        name = f"{number:04d}"
        given, written = _write_picture(entry, place / f"{name}.png")
        (place / f"{name}.txt").write_text(entry.caption + "\n", encoding="utf-8")
        if entry.mask is not None:
            (root / MASKS).mkdir(exist_ok=True)
            mask = resize_mask(read_mask(entry.mask, size=given), written)
            (root / MASKS / f"{name}.png").write_bytes(encode_mask(mask))
        rows[name] = {"view": entry.view, "flip": entry.flip, "repeats": entry.repeats}
    root.mkdir(exist_ok=True)
    record = {"format": _FORMAT, "trigger": dataset.trigger, "class": dataset.class_word, "pictures": rows}
    (root / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _place(dataset: DataSet, entry: Entry) -> Path:
    """The folder, below the set's, in which a picture lies."""
    if entry.kind == "prior":
        return Path(PRIOR, f"{entry.repeats}_{dataset.class_word}")
    named = f"_{dataset.trigger} {dataset.class_word}"
    return Path(HELD_OUT, f"1{named}") if entry.held_out else Path(f"{entry.repeats}{named}")


def _write_picture(entry: Entry, path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """Write it; its (width, height) as it was and as it is."""
    photo = open_photo(entry.image)
    given = photo.size
    photo.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    photo.save(path, "PNG", compress_level=1)
    return given, photo.size


def read_folder(folder: Path) -> DataSet:
    """The set in a folder, ours or one that was made for kohya's scripts.

    Links are not followed, names in ``dataset.json`` open nothing, and pictures are not decoded here. A picture without
    a caption is captioned by its folder's name, as kohya's scripts do.

    Raises:
        InputError: ``dataset_folder_missing``, ``dataset_empty``, ``dataset_too_large``, ``dataset_record_invalid``,
            ``dataset_triggers_differ``, ``trigger_invalid``, ``caption_invalid``.
    """
    if not folder.is_dir():
        raise InputError("dataset_folder_missing", f"There is no folder {folder}. Check the path.")
    root = folder.absolute()
    found = sorted(_found(root), key=lambda one: (one.image.stem, str(one.image)))
    if not found:
        wanted = "a folder such as '10_zkv17 coat' with pictures in it"
        raise InputError("dataset_empty", f"{folder} holds no training picture: it needs {wanted}.")
    record = _record(root)
    trigger, class_word = _names(record, found)
    return DataSet(trigger, tuple(_entry(root, one, record) for one in found), class_word)


def mask_png(mask: Path, size: tuple[int, int]) -> bytes:
    """A mask of a set as a PNG of ours.

    Args:
        mask: its file, from outside.
        size: (width, height) of its picture.

    Raises:
        InputError: as :func:`studio.segmentation.mask_files.read_mask`.
    """
    return encode_mask(read_mask(mask, size=size))


@dataclass(frozen=True)
class _Found:
    """A picture in a numbered folder."""

    image: Path
    repeats: int
    words: str
    kind: Kind
    held_out: bool


def _found(root: Path) -> Iterator[_Found]:
    count = 0
    for above, kind, held_out in (
        (root, KINDS[0], False),
        (root / HELD_OUT, KINDS[0], True),
        (root / PRIOR, KINDS[1], False),
    ):
        for place in _entries(above, folders=True):
            numbered = NUMBERED.fullmatch(place.name)
            for image in _entries(place, folders=False) if numbered else ():
                count += 1
                if count > MOST_PICTURES:
                    raise InputError("dataset_too_large", f"A set holds at most {MOST_PICTURES} pictures.")
                if numbered and image.suffix.lower() in PICTURES:
                    yield _Found(image, int(numbered[1]), numbered[2], kind, held_out)


def _entries(folder: Path, *, folders: bool) -> list[Path]:
    """Its real folders or files by name; a link could lead anywhere and is passed over, as are hidden names."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and not path.is_symlink()]
    return [path for path in paths if (path.is_dir() if folders else path.is_file())]


def _record(root: Path) -> dict[str, Any]:
    path = root / RECORD
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        record = json.loads(_text(path, MOST_RECORD_BYTES))
        if record["format"] != _FORMAT or not all(isinstance(row, dict) for row in record["pictures"].values()):
            raise ValueError
        return dict(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{RECORD} is not one of ours. Remove it, and the folder's names will do"
        raise InputError("dataset_record_invalid", f"{said}.") from error


def _names(record: dict[str, Any], found: list[_Found]) -> tuple[str, str]:
    """Trigger and class: the record's, else the first word of the folders' names and the rest of them."""
    if record:
        return str(record.get("trigger")), str(record.get("class"))
    named = {one.words for one in found if one.kind == "garment"}
    triggers = {words.split()[0].lower() for words in named if words.split()}
    if len(triggers) > 1:
        said = f"The folders name several triggers ({', '.join(sorted(triggers))})"
        raise InputError("dataset_triggers_differ", f"{said}; a LoRA here learns one garment. Split the set.")
    trigger = check_trigger(triggers.pop() if triggers else "")
    rest = {" ".join(words.lower().split()[1:]) for words in named} - {""}
    return trigger, rest.pop() if len(rest) == 1 else "garment"


def _entry(root: Path, one: _Found, record: dict[str, Any]) -> Entry:
    row = record.get("pictures", {}).get(one.image.stem, {})
    mask = root / MASKS / f"{one.image.stem}.png"
    known = mask.is_file() and not mask.is_symlink() and not mask.parent.is_symlink()
    view, repeats = row.get("view"), row.get("repeats")
    return Entry(
        image=one.image,
        mask=mask if known else None,
        caption=_caption(one),
        view=view if view in VIEWS else "unsure",
        # A held-out picture lies in a folder of one repeat, whatever it would have been trained with.
        repeats=repeats if one.held_out and isinstance(repeats, int) else one.repeats,
        flip=row.get("flip") is not False,
        kind=one.kind,
        held_out=one.held_out,
    )


def _caption(one: _Found) -> str:
    """The first line of its text, as kohya's scripts take it; the folder's words where there is none."""
    for suffix in CAPTIONS:
        path = one.image.with_suffix(suffix)
        if path.is_file() and not path.is_symlink():
            lines = _text(path, MOST_TEXT_BYTES).strip().splitlines()
            return clean_caption(lines[0] if lines else one.words)
    return clean_caption(one.words)


def _text(path: Path, limit: int) -> str:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    try:
        if len(data) > limit:
            raise ValueError
        return data.decode("utf-8-sig")
    except ValueError as error:
        said = f"{path.name} is not UTF-8 text of at most {limit // 1024} kB"
        raise InputError("caption_invalid", f"{said}. Save it anew.") from error
