"""Pictures that the first look is tried on, drawn here or public domain."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[3]
SKIN = (214, 160, 130)
PAPER = (235, 236, 240)


def bare_figure(colour: tuple[int, int, int] = SKIN) -> Image.Image:
    """A figure with nothing on, as a child draws one, in one colour on a light ground."""
    picture = Image.new("RGB", (400, 600), PAPER)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((165, 40, 235, 130), fill=colour)
    pen.rectangle((185, 120, 215, 160), fill=colour)
    pen.polygon([(140, 155), (260, 155), (245, 330), (155, 330)], fill=colour)
    for limb, width in (
        ((145, 165, 100, 360), 34), ((255, 165, 300, 360), 34), ((175, 320, 170, 570), 50), ((225, 320, 230, 570), 50),
    ):  # fmt: skip
        pen.line(limb, fill=colour, width=width)
    return picture


def samples() -> dict[str, Image.Image]:
    """What comes with the repository, and the two public domain portraits that other tests use."""
    import matplotlib
    from skimage import data

    found = {path.stem: path for path in sorted((ROOT / "catalog" / "sample_photos").glob("*.jpg"))}
    found |= {path.stem: path for path in sorted((ROOT / "static" / "library" / "personas").glob("*.webp"))}
    found["grace_hopper"] = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    pictures = {name: Image.open(path).convert("RGB") for name, path in found.items()}
    return pictures | {"astronaut": Image.fromarray(data.astronaut())}
