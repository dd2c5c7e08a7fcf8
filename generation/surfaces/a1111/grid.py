"""Many pictures as one: the X/Y/Z plot with its legend, and the plain grid of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WHITE, INK = (255, 255, 255), (0, 0, 0)
MOST_SIDE, MOST_PIXELS = 16_000, 40_000_000  # beyond, the grid is made smaller
LEAST_FONT, LINE = 10, 1.3
MOST_LABEL = 400  # characters: a legend has six lines


def plain(pictures: Sequence[Image.Image]) -> Image.Image:
    """A batch, as square as it goes."""
    columns = math.ceil(math.sqrt(len(pictures)))
    return labelled(pictures, columns=columns, across=(), down=(), margin=0)


def labelled(
    pictures: Sequence[Image.Image], *, columns: int, across: Sequence[str], down: Sequence[str], margin: int
) -> Image.Image:
    """A grid of pictures row by row.

    Args:
        across, down: what stands above the columns and before the rows; empty for no legend.
        margin: pixels between the pictures.
    """
    laid = _laid_out([picture.size for picture in pictures], columns, across, down, margin)
    sheet = Image.new("RGB", laid.size, WHITE)
    for k, picture in enumerate(pictures):
        sheet.paste(picture.convert("RGB").resize(laid.cell), laid.corner(k % columns, k // columns))
    draw = ImageDraw.Draw(sheet)
    for k, text in enumerate(across):
        _write(draw, text, laid.font, (laid.corner(k, 0)[0] + laid.cell[0] // 2, laid.top // 2), laid.cell[0])
    for k, text in enumerate(down):
        _write(draw, text, laid.font, (laid.left // 2, laid.corner(0, k)[1] + laid.cell[1] // 2), laid.left)
    return sheet


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class _Layout:
    """Where everything is, in pixels; ``top`` and ``left`` is the legend's room."""

    columns: int
    rows: int
    cell: tuple[int, int]
    margin: int
    font: Font
    top: int
    left: int

    def corner(self, column: int, row: int) -> tuple[int, int]:
        """Of a cell, above and left."""
        step = (self.cell[0] + self.margin, self.cell[1] + self.margin)
        return self.left + column * step[0], self.top + row * step[1]

    @property
    def size(self) -> tuple[int, int]:
        """Of the sheet."""
        right, bottom = self.corner(self.columns, self.rows)
        return right - self.margin, bottom - self.margin

    @property
    def fits(self) -> bool:
        """Whether it may be made."""
        return max(self.size) <= MOST_SIDE and self.size[0] * self.size[1] <= MOST_PIXELS


def _laid_out(
    sizes: Sequence[tuple[int, int]], columns: int, across: Sequence[str], down: Sequence[str], margin: int
) -> _Layout:
    """As large as it may be: cells, margin and legend shrink until it fits."""
    width, height = (max(side) for side in zip(*sizes, strict=True))
    factor = 1.0
    while True:
        cell = max(1, int(width * factor)), max(1, int(height * factor))
        font = ImageFont.load_default(max(LEAST_FONT, sum(cell) // 25))
        top = _room([text for text in across if text], font, cell[0], upright=True)
        left = _room([text for text in down if text], font, cell[0], upright=False)
        laid = _Layout(columns, math.ceil(len(sizes) / columns), cell, int(margin * factor), font, top, left)
        if laid.fits:
            return laid
        area, side = laid.size[0] * laid.size[1], max(laid.size)
        factor *= min(0.98, MOST_SIDE / side, math.sqrt(MOST_PIXELS / area))


def within(picture: Image.Image, pixels: int) -> Image.Image:
    """The picture with so many pixels at most; as it is where it has fewer, and not decoded yet."""
    factor = math.sqrt(pixels / (picture.width * picture.height))
    if factor >= 1:
        return picture
    return picture.resize((max(1, int(picture.width * factor)), max(1, int(picture.height * factor))))


def stacked(sheets: Sequence[Image.Image], labels: Sequence[str], *, margin: int) -> Image.Image:
    """The z axis: a sheet beside the other, each with its value above."""
    return labelled(sheets, columns=len(sheets), across=labels, down=(), margin=margin)


def _room(texts: Sequence[str], font: Font, width: int, *, upright: bool) -> int:
    """Pixels for a legend: its lines' height above, three quarters of a picture's width before."""
    if not texts:
        return 0
    if not upright:
        return max(40, width * 3 // 4)
    lines = max(len(_lines(text, font, width)) for text in texts)
    return int(lines * _height(font) * LINE + _height(font))


def _write(draw: ImageDraw.ImageDraw, text: str, font: Font, middle: tuple[int, int], width: int) -> None:
    lines = _lines(text, font, width)
    step = _height(font) * LINE
    for k, line in enumerate(lines):
        y = middle[1] + (k - (len(lines) - 1) / 2) * step
        draw.text((middle[0] - font.getlength(line) / 2, y - _height(font) / 2), line, INK, font=font)


def _lines(text: str, font: Font, width: int) -> list[str]:
    """Words in lines that fit; a word that is longer than a line is cut."""
    lines: list[str] = []
    for word in text[:MOST_LABEL].split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        while word and font.getlength(word) > width:
            keep = max(1, int(len(word) * width / font.getlength(word)))
            lines.append(word[:keep])
            word = word[keep:]
        if word:
            lines.append(word)
    return lines[:6]


def _height(font: Font) -> float:
    return float(getattr(font, "size", 11))
