"""``compare``: an XYZ grid painted cell by cell, scored, laid out on one sheet and told as CSV."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.diffusion.shown import as_shown
from studio.diffusion.types import AdapterUse, Control, Engine, Generate
from studio.files import write_all
from studio.images import open_mask, open_photo
from studio.lora.grid import MOST_CELLS, Axis, Cell, Setting, Winner, check_axes, table, winner
from studio.lora.grid_sheet import sheet
from studio.lora.similarity import Mask, References, look, references_of, similarity
from studio.pose.detect import PoseDetector
from studio.pose.openpose import render_skeleton
from studio.provenance import Format, label
from studio.serve.fields import Fields
from studio.serve.jobs import Job
from studio.serve.outputs import make_folder
from studio.serve.resident import Resident
from studio.shoot.finish import PRODUCER
from studio.shoot.recipe import picture_hash

NEGATIVE = "deformed hands, extra limbs, blurry, text, watermark"


def compare(job: Job, resident: Resident) -> Mapping[str, Any]:
    """Paint a grid: in each cell the garment of one photo is repainted with that cell's settings."""
    fields = Fields("message", job.body)
    family, out = fields.text("family"), fields.path("out")
    axes = tuple(_axis(value) for value in fields.items("axes"))
    cells = cells_of(fields, axes)
    photos = [_photo(value) for value in fields.items("references")]
    subject = fields.any("subject", None)
    fields.finish()
    references_of(photos)  # refuses before an engine is brought up for nothing
    base = photos[0] if subject is None else _photo(subject)
    make_folder(out)
    crew = resident.crew(family, loading=lambda: job.progress("weights", 0.0))
    easel = Easel.set(crew.engine, crew.detector, base)
    references = references_of([easel.shown(*photo) for photo in photos])
    painted = Painted(job, out)
    try:
        for k, cell in enumerate(cells):
            painted.add(cell, easel, references)
            job.progress("painting", 0.02 + 0.95 * (k + 1) / len(cells))
        return painted.finish(axes, cells)
    except BaseException:
        painted.remove()
        raise


@dataclass(frozen=True)
class Painted:
    """The cells that are done, by number: picture, score, and file in ``out``."""

    job: Job
    out: Path
    pictures: dict[int, Image.Image] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)

    def add(self, cell: Cell, easel: Easel, references: References) -> None:
        """Paint a cell, score it, write it and tell of it."""
        self.job.stop_if_asked()
        began = time.perf_counter()
        picture = easel.paint(cell.setting, self.job.cancelled.is_set)
        score = round(similarity(picture, easel.mask, references), 4)
        self.pictures[cell.n], self.scores[cell.n] = picture, score
        self.files[cell.n] = f"cell-{cell.n:03d}.webp"
        path = self.out / self.files[cell.n]
        write_all({path: _labelled(picture, "webp")})
        report = {"similarity": score, "seconds": round(time.perf_counter() - began, 3)}
        self.job.tell("cell", n=cell.n, file=str(path), score=score, report=report)

    def finish(self, axes: Sequence[Axis], cells: Sequence[Cell]) -> dict[str, Any]:
        """The sheet, the table, and what ``done`` says."""
        self.job.stop_if_asked()
        best = winner(cells, self.scores)
        page = sheet(axes, cells, self.pictures, self.scores, best=best.n if best else None)
        csv = table(axes, cells, self.scores, self.files).encode()
        write_all({self.out / "grid.png": _labelled(page, "png"), self.out / "grid.csv": csv})
        return {**_told(best), "sheet": str(self.out / "grid.png"), "csv": str(self.out / "grid.csv")}

    def remove(self) -> None:
        """Nothing is left of a job that failed."""
        for name in self.files.values():
            (self.out / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Easel:
    """The photo whose garment every cell repaints, at the engine's own size.

    Attributes:
        picture: RGB.
        mask: bool over it, the garment.
        controls: its wearer's skeleton, where somebody was found and the family takes one.
    """

    engine: Engine
    picture: Image.Image
    mask: Mask
    controls: tuple[Control, ...]

    @classmethod
    def set(cls, engine: Engine, detector: PoseDetector, base: tuple[Image.Image, Mask]) -> Easel:
        """Fit a photo to the engine's frame: cut about the garment to its aspect, then resampled."""
        size = (engine.defaults.width, engine.defaults.height)
        picture, mask = framed(*base, size)
        look(picture, mask)  # refuses a garment that is too small there to be judged
        found = detector.detect(picture) if "openpose" in engine.capabilities.controls else None
        controls = (Control(render_skeleton(found.pose)),) if found is not None else ()
        return cls(engine, picture, mask, controls)

    def shown(self, photo: Image.Image, mask: Mask) -> tuple[Image.Image, Mask]:
        """A reference as this engine could show it at best: what its autoencoder loses is no adapter's fault."""
        picture, where = framed(photo, mask, self.picture.size)
        return as_shown(self.engine, picture), where

    def paint(self, setting: Setting, should_cancel: Any) -> Image.Image:
        """One cell's picture: the photo, its garment painted new."""
        adapters = () if setting.adapter is None else (AdapterUse(setting.adapter, setting.weight),)
        request = Generate(
            prompt=setting.prompt,
            negative_prompt=NEGATIVE,
            seed=setting.seed,
            steps=setting.steps,
            guidance_scale=setting.guidance,
            sampler=setting.sampler,
            image=self.picture,
            mask=Image.fromarray(self.mask.astype(np.uint8) * 255),
            mask_blur=2,
            controls=self.controls,
            adapters=adapters,
        )
        return self.engine.generate(request, should_cancel=should_cancel).images[0]


def framed(photo: Image.Image, mask: Mask, size: tuple[int, int]) -> tuple[Image.Image, Mask]:
    """Photo and mask cut to the aspect of ``size``, about the garment's middle, as much as there is, at ``size``."""
    aspect = size[0] / size[1]
    width = min(photo.width, round(photo.height * aspect))
    height = min(photo.height, round(width / aspect))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left = _start(columns, width, photo.width)
    top = _start(rows, height, photo.height)
    box = (left, top, left + width, top + height)
    kind = Image.Resampling.BOX if width >= size[0] else Image.Resampling.BICUBIC
    grey = Image.fromarray(mask.astype(np.uint8) * 255).crop(box).resize(size, Image.Resampling.BOX)
    return photo.crop(box).resize(size, kind), np.asarray(grey) >= 128


def _start(places: np.ndarray[Any, Any], extent: int, whole: int) -> int:
    middle = (int(places[0]) + int(places[-1])) // 2 if len(places) else whole // 2
    return min(max(middle - extent // 2, 0), whole - extent)


def _axis(value: object) -> Axis:
    fields = Fields("axis", value)
    name, values = fields.text("name"), fields.items("values")
    fields.finish()
    return Axis(name, tuple(values))


def cells_of(fields: Fields, axes: Sequence[Axis]) -> tuple[Cell, ...]:
    """The cells of a message, each on a place of the axes that no other has.

    Raises:
        InputError: ``message_cells_invalid``, ``cell_..._invalid``, and what :func:`check_axes` raises.
    """
    check_axes(axes)
    values = fields.items("cells")
    if not 1 <= len(values) <= MOST_CELLS:
        fields.refuse("cells", f"must be 1 to {MOST_CELLS}")
    cells = tuple(_cell(value, n, axes) for n, value in enumerate(values))
    if len({(cell.x, cell.y, cell.z) for cell in cells}) != len(cells):
        fields.refuse("cells", "must each have a place of their own")
    return cells


def _cell(value: object, n: int, axes: Sequence[Axis]) -> Cell:
    fields = Fields("cell", value)
    if fields.whole("n", n) != n:
        fields.refuse("n", "is not its place in the list")
    counts = [len(axis.values) for axis in axes] + [1, 1]
    places = fields.whole("x", 0), fields.whole("y", 0), fields.whole("z", 0)
    if not all(0 <= place < count for place, count in zip(places, counts, strict=False)):
        fields.refuse("x", "or y or z is on no value of its axis")
    setting = Setting(
        prompt=fields.text("prompt"),
        checkpoint=fields.any("checkpoint", _checkpoint(axes, places)),
        adapter=fields.path("adapter", None),
        weight=float(fields.number("weight", 1.0)),
        seed=fields.whole("seed", 0),
        steps=fields.whole("steps", None),
        guidance=fields.number("guidance", None),
        sampler=fields.text("sampler", None),
    )
    fields.finish()
    return Cell(n, *places, setting)


def _checkpoint(axes: Sequence[Axis], places: Sequence[int]) -> int | str | None:
    return next((axis.values[k] for axis, k in zip(axes, places, strict=False) if axis.name == "checkpoint"), None)


def _photo(value: object) -> tuple[Image.Image, Mask]:
    fields = Fields("reference", value)
    image, mask = fields.path("image"), fields.path("mask")
    fields.finish()
    photo = open_photo(image)
    return photo, open_mask(mask, size=photo.size)


def _labelled(picture: Image.Image, format: Format) -> bytes:
    """Most of a cell is the merchant's photo, its garment made."""
    name = str(picture_hash(picture))[:32]
    return label(picture, format=format, composite=True, producer=PRODUCER, content_id=name, quality=90)


def _told(best: Winner | None) -> dict[str, Any]:
    if best is None:
        return {"best": None, "setting": None}
    own = best.setting
    setting = {
        "checkpoint": own.checkpoint,
        "adapter": None if own.adapter is None else str(own.adapter),
        "weight": own.weight,
        "steps": own.steps,
        "guidance": own.guidance,
        "sampler": own.sampler,
        "mean": round(best.mean, 4),
        "base": None if best.base is None else round(best.base, 4),
    }
    return {"best": best.n, "score": best.score, "setting": setting}
