#!/usr/bin/env python3
"""Draw the app's icons for the manifest, in frontend/plain/img/app/: the mark of img/mark.svg, by Pillow.

app_icons.py        write them
any-192.png, any-512.png            the mark on nothing
maskable-192.png, maskable-512.png  the mark within the safe circle (80 % across) of a filled square
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parents[1] / "frontend" / "plain" / "img" / "app"
BLUE, WHITE, PAPER = (41, 82, 227, 255), (255, 255, 255, 255), (246, 248, 250, 255)
FINE = 8  # drawn so much larger, then shrunk: Pillow's lines have no soft edges
BOX = 24.0  # the mark's viewBox
# The shirt's outline in that box; its collar is the curve of the SVG's two arcs, as points.
COLLAR = ((15.0, 7.0), (14.5, 7.65), (13.9, 8.12), (13.2, 8.45), (12.0, 8.6), (10.8, 8.45), (10.1, 8.12), (9.5, 7.65))
SHIRT = ((9.0, 7.0), (7.0, 9.5), (9.0, 11.0), (9.0, 17.0), (15.0, 17.0), (15.0, 11.0), (17.0, 9.5), *COLLAR)


def mark(size: int, *, ground: tuple[int, int, int, int], share: float) -> Image.Image:
    """A square picture of ``size`` px in which the mark's box takes ``share`` of the side."""
    side = size * FINE
    scale, left = side * share / BOX, side * (1 - share) / 2
    picture = Image.new("RGBA", (side, side), ground)
    draw = ImageDraw.Draw(picture)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * scale, left + y * scale

    card = (*at(2, 1), *at(22, 23))
    draw.rounded_rectangle(card, radius=5 * scale, fill=BLUE)  # the outline: 2 wide, half of it outside
    draw.rounded_rectangle((*at(4, 3), *at(20, 21)), radius=3 * scale, fill=WHITE)
    shirt = [at(x, y) for x, y in SHIRT]
    draw.polygon(shirt, fill=BLUE)
    draw.line([*shirt, shirt[0]], fill=BLUE, width=round(scale), joint="curve")
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def main() -> None:
    """Write all four."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for size in (192, 512):
        mark(size, ground=(0, 0, 0, 0), share=1.0).save(FOLDER / f"any-{size}.png", optimize=True)
        mark(size, ground=PAPER, share=0.66).convert("RGB").save(FOLDER / f"maskable-{size}.png", optimize=True)


if __name__ == "__main__":
    main()
