"""What a job leaves in its folder: each picture in five variants, all labelled, and what goes beside them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from studio.errors import StorageError
from studio.pose.openpose import skeleton_png
from studio.provenance import Format, label
from studio.segmentation.mask_files import encode_mask
from studio.serve.layers import layers
from studio.shoot.finish import PRODUCER, labelled
from studio.shoot.sheet import contact_sheet
from studio.shoot.types import Outcome

# Name, format, longest side (None: as it is), quality of WebP.
VARIANTS: tuple[tuple[str, Format, int | None, int], ...] = (
    ("full", "png", None, 100),
    ("display", "webp", None, 90),
    ("large", "webp", 1280, 85),
    ("medium", "webp", 640, 85),
    ("small", "webp", 320, 82),
)
PREVIEW_SECONDS = 1 / 3
NO_FILES: Mapping[str, str | None] = dict.fromkeys(("sheet", "source", "mask", "skeleton", "locked", "seam"))


@dataclass(frozen=True)
class Written:
    """Files ready to be written, by path, and what the event about them says."""

    contents: Mapping[Path, bytes]
    told: Mapping[str, Any]


def make_folder(path: Path) -> None:
    """Make sure of a job's folder before anything is computed; StorageError ``not_writable``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError("not_writable", f"The folder {path} can not be made ({error.strerror}).") from error


def variants(image: Image.Image, recipe: Mapping[str, Any], *, index: int, kept: bool, out: Path) -> Written:
    """A picture's five variants; ``kept``: some of its pixels are the photo's own."""
    contents: dict[Path, bytes] = {}
    told: dict[str, dict[str, Any]] = {"files": {}, "sizes": {}, "sha256": {}}
    for name, format_, side, quality in VARIANTS:
        smaller = image if side is None else reduced(image, side)
        path = out / f"{index}-{name}.{format_}"
        contents[path] = labelled(smaller, recipe, format_, kept=kept, quality=quality)
        told["files"][name] = str(path)
        told["sizes"][name] = list(smaller.size)
        told["sha256"][name] = hashlib.sha256(contents[path]).hexdigest()
    return Written(contents, told)


def reduced(image: Image.Image, side: int) -> Image.Image:
    """The picture with its longest side at ``side`` px, never enlarged."""
    factor = side / max(image.size)
    if factor >= 1:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def papers(outcome: Outcome, *, out: Path) -> Written:
    """A shoot's sheet, source, garment mask, asked skeleton and what was kept; without a photo sheet and skeleton."""
    table, recipe = outcome.table, outcome.shots[0].recipe
    kept = bool(table.locked.any())
    contents = {
        out / "sheet.webp": labelled(contact_sheet(outcome), recipe, "webp", kept=kept, quality=85),
        out / "skeleton.png": skeleton_png(table.asked),
    }
    if table.photographed.any():
        contents[out / "source.webp"] = _webp(table.source)
        contents[out / "mask.png"] = encode_mask(table.garment)
        contents |= {out / f"{name}.png": data for name, data in layers(table).items()}
    return Written(contents, {**NO_FILES, **{path.stem: str(path) for path in contents}})


def drawn(skeleton: Image.Image | None, *, out: Path) -> Written:
    """Beside pictures without a table: the skeleton that was read off a control's photo, on black; None for none."""
    if skeleton is None:
        return Written({}, NO_FILES)
    buffer = io.BytesIO()
    skeleton.save(buffer, "PNG", compress_level=4)
    path = out / "skeleton.png"
    return Written({path: buffer.getvalue()}, {**NO_FILES, "skeleton": str(path)})


def _webp(image: Image.Image) -> bytes:
    """The merchant's own pixels, so without the labels of made ones."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=90, method=4)
    return buffer.getvalue()


@dataclass
class Previews:
    """Writes what is being painted to ``preview.webp``, a few times a second; a batch's pictures side by side."""

    out: Path
    job: str
    tell: Callable[[str, int], None]
    count: int = 0
    _next: float = field(default=0.0, repr=False)

    @property
    def path(self) -> Path:
        """Where the newest one is."""
        return self.out / "preview.webp"

    def show(self, pictures: tuple[Image.Image, ...]) -> None:
        """Write these, unless the last ones are too fresh."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PREVIEW_SECONDS
        data = label(side_by_side(pictures), format="webp", composite=False, producer=PRODUCER, content_id=self.job,
                     quality=70)  # fmt: skip
        # A preview is no reason to fail: the disk may be full for it and have room again for the pictures.
        with contextlib.suppress(OSError):
            self._replace(data)
            self.count += 1
            self.tell(str(self.path), self.count)

    def _replace(self, data: bytes) -> None:
        """Whole or not at all, but not flushed to the disk: nobody misses a preview after a power cut."""
        aside = self.path.with_name(".preview.part")
        aside.write_bytes(data)
        os.replace(aside, self.path)

    def remove(self) -> None:
        """Nothing is left of a job that failed."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.with_name(".preview.part").unlink(missing_ok=True)


def side_by_side(pictures: tuple[Image.Image, ...]) -> Image.Image:
    """Pictures of one size in a row."""
    width, height = pictures[0].size
    row = Image.new("RGB", (width * len(pictures), height))
    for k, picture in enumerate(pictures):
        row.paste(picture, (k * width, 0))
    return row
