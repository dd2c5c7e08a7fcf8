"""Many pictures as one: the X/Y/Z plot with its legend, and the plain grid of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WHITE, INK = (255, 255, 255), (0, 0, 0)
MOST_SIDE = 16_000  # pixels: beyond, the grid is made smaller
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
    rows = math.ceil(len(pictures) / columns)
    width, height = (max(side) for side in zip(*(picture.size for picture in pictures), strict=True))
    factor = min(1.0, MOST_SIDE / max(columns * width, rows * height))
    width, height = max(1, int(width * factor)), max(1, int(height * factor))
    font = ImageFont.load_default(max(LEAST_FONT, (width + height) // 25))
    top = _room([text for text in across if text], font, width, upright=True)
    left = _room([text for text in down if text], font, width, upright=False)
    sheet = Image.new(
        "RGB", (left + columns * (width + margin) - margin, top + rows * (height + margin) - margin), WHITE
    )
    for k, picture in enumerate(pictures):
        x, y = left + k % columns * (width + margin), top + k // columns * (height + margin)
        sheet.paste(picture.convert("RGB").resize((width, height)), (x, y))
    draw = ImageDraw.Draw(sheet)
    for k, text in enumerate(across):
        _write(draw, text, font, (left + k * (width + margin) + width // 2, top // 2), width)
    for k, text in enumerate(down):
        _write(draw, text, font, (left // 2, top + k * (height + margin) + height // 2), left)
    return sheet


def stacked(sheets: Sequence[Image.Image], labels: Sequence[str], *, margin: int) -> Image.Image:
    """The z axis: a sheet beside the other, each with its value above."""
    return labelled(sheets, columns=len(sheets), across=labels, down=(), margin=margin)


def _room(
    texts: Sequence[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int, *, upright: bool
) -> int:
    """Pixels for a legend: its lines' height above, three quarters of a picture's width before."""
    if not texts:
        return 0
    if not upright:
        return max(40, width * 3 // 4)
    lines = max(len(_lines(text, font, width)) for text in texts)
    return int(lines * _height(font) * LINE + _height(font))


def _write(
    draw: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    middle: tuple[int, int],
    width: int,
) -> None:
    lines = _lines(text, font, width)
    step = _height(font) * LINE
    for k, line in enumerate(lines):
        y = middle[1] + (k - (len(lines) - 1) / 2) * step
        draw.text((middle[0] - font.getlength(line) / 2, y - _height(font) / 2), line, INK, font=font)


def _lines(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
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


def _height(font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> float:
    return float(getattr(font, "size", 11))
