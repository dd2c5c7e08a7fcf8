"""One picture to judge a shoot by: source with mask and skeleton, and each result beside it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from studio.pose.openpose import render_skeleton
from studio.shoot.types import Mask, Outcome, Shot, Table

GAP, BAND = 16, 44
PAPER, INK, MUTED = (246, 248, 250), (22, 24, 29), (91, 100, 114)
TINT = np.array([41, 82, 227], np.float32)


def contact_sheet(outcome: Outcome) -> Image.Image:
    """Source, mask and skeleton, then the results, left to right on paper, each with a line of words below."""
    table = outcome.table
    panels: list[tuple[Image.Image, str, str]] = []
    if table.photographed.any():
        panels.append((table.source, "Photo", "as it lies on the frame"))
        panels.append(
            (masked(table), "Garment", f"{table.garment.mean():.0%} of the frame, locked {table.locked.mean():.0%}")
        )
    panels.append((skeleton(table), "Pose", "asked of the model"))
    panels += [(shot.image, f"Picture, seed {shot.seed}", _verdict(shot)) for shot in outcome.shots]
    return _laid_out(panels)


def masked(table: Table) -> Image.Image:
    """The source with the garment tinted, and everything else dimmed."""
    pixels = np.asarray(table.source, np.float32)
    dim = pixels * 0.45 + 120
    tinted = np.where(table.garment[..., None], pixels * 0.72 + TINT * 0.28, dim)
    tinted[_outline(table.garment)] = TINT
    return Image.fromarray(tinted.astype(np.uint8))


def skeleton(table: Table) -> Image.Image:
    """The asked skeleton over the dimmed source."""
    drawn = np.asarray(render_skeleton(table.asked), np.float32)
    base = np.asarray(table.source, np.float32) * 0.3
    return Image.fromarray(np.where(drawn.any(axis=2, keepdims=True), drawn, base).astype(np.uint8))


def _outline(mask: Mask) -> Mask:
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return np.asarray(grown & ~mask)


def _verdict(shot: Shot) -> str:
    report = shot.report.to_json()
    garment = report["garment"]
    kept = garment["locked_ratio"] if isinstance(garment, dict) else None
    told = f", garment kept {float(kept):.2%}" if isinstance(kept, int | float) else ""
    return f"{report['verdict']}{told}"


def _laid_out(panels: list[tuple[Image.Image, str, str]]) -> Image.Image:
    height = min(768, panels[0][0].height)
    width = round(panels[0][0].width * height / panels[0][0].height)
    sheet = Image.new("RGB", (GAP + len(panels) * (width + GAP), height + 2 * GAP + BAND), PAPER)
    pen, big, small = ImageDraw.Draw(sheet), ImageFont.load_default(16), ImageFont.load_default(13)
    for k, (picture, title, line) in enumerate(panels):
        x = GAP + k * (width + GAP)
        sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (x, GAP))
        pen.text((x, GAP + height + 6), title, fill=INK, font=big)
        pen.text((x, GAP + height + 28), line, fill=MUTED, font=small)
    return sheet
