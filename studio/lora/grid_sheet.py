"""An XYZ grid as one labelled picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from studio.lora.grid import Axis, Cell

GAP, HEAD, SIDE_BAND, LINE = 10, 26, 110, 20
PAPER, INK, MUTED, ACCENT = (246, 248, 250), (22, 24, 29), (91, 100, 114), (41, 82, 227)
LONGEST_SIDE = 240  # of a cell's picture on the sheet
FONT = 13


@dataclass(frozen=True)
class _Plan:
    """Sizes of one sheet: a cell's picture, how many of them, and where the first one is."""

    cell: tuple[int, int]
    columns: int
    rows: int
    blocks: int

    def place(self, x: int, y: int, z: int) -> tuple[int, int]:
        width, height = self.cell
        return SIDE_BAND + x * (width + GAP), z * self.block + 2 * HEAD + y * (height + LINE + GAP)

    @property
    def block(self) -> int:
        return 2 * HEAD + self.rows * (self.cell[1] + LINE + GAP)

    @property
    def size(self) -> tuple[int, int]:
        return SIDE_BAND + self.columns * (self.cell[0] + GAP) + GAP, self.blocks * self.block + GAP


def sheet(
    axes: Sequence[Axis],
    cells: Sequence[Cell],
    pictures: Mapping[int, Image.Image],
    scores: Mapping[int, float],
    *,
    best: int | None,
) -> Image.Image:
    """The first axis across, the second down, the third as blocks below each other; scores under the pictures.

    Args:
        axes: one to three.
        cells: of the grid.
        pictures: RGB, one for each cell, by its number, all of one size.
        scores: 0..1 by cell; a cell without one shows none.
        best: the cell that is framed.
    """
    first = next(iter(pictures.values()))
    factor = min(1.0, LONGEST_SIDE / max(first.size))
    counts = [len(axis.values) for axis in axes] + [1, 1]
    plan = _Plan((round(first.width * factor), round(first.height * factor)), *counts[:3])
    page = Image.new("RGB", plan.size, PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(FONT)
    _labels(pen, font, axes, plan)
    for cell in cells:
        left, top = plan.place(cell.x, cell.y, cell.z)
        page.paste(pictures[cell.n].resize(plan.cell, Image.Resampling.LANCZOS), (left, top))
        won, score = cell.n == best, scores.get(cell.n)
        if won:
            box = (left - 4, top - 4, left + plan.cell[0] + 3, top + plan.cell[1] + 3)
            pen.rectangle(box, outline=ACCENT, width=3)
        text = "" if score is None else f"{score:.3f}" + ("  best" if won else "")
        pen.text((left, top + plan.cell[1] + 4), text, fill=ACCENT if won else MUTED, font=font)
    return page


def _labels(pen: ImageDraw.ImageDraw, font: Any, axes: Sequence[Axis], plan: _Plan) -> None:
    """The axes' names and values, cut to the room there is."""
    for z in range(plan.blocks):
        top = z * plan.block
        if len(axes) > 2:
            pen.text((GAP, top + 5), _told(axes[2], z), fill=ACCENT, font=font)
        for x in range(plan.columns):
            left, _ = plan.place(x, 0, z)
            pen.text((left, top + HEAD + 4), _cut(font, _told(axes[0], x), plan.cell[0]), fill=INK, font=font)
        for y in range(plan.rows if len(axes) > 1 else 0):
            _, down = plan.place(0, y, z)
            for k, line in enumerate((axes[1].name, str(_shown(axes[1].values[y])))):
                pen.text((GAP, down + 18 * k), _cut(font, line, SIDE_BAND - 2 * GAP), fill=INK, font=font)


def _told(axis: Axis, k: int) -> str:
    return f"{axis.name} {_shown(axis.values[k])}"


def _shown(value: Any) -> Any:
    return "base" if value is None else value


def _cut(font: Any, text: str, width: int) -> str:
    """As much of a line as fits, with an ellipsis where something was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
