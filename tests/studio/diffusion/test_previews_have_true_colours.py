"""A preview is a guess without the decoder; its colours must still be those of the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from studio.diffusion.engine import load_engine
from studio.diffusion.watch import fit_preview, preview_samples, soft_colours

PHOTOS = Path(__file__).parents[3] / "catalog" / "sample_photos"
CPU, F32 = torch.device("cpu"), torch.float32


def photo(name: str) -> Image.Image:
    with Image.open(PHOTOS / f"{name}.jpg") as opened:
        return opened.convert("RGB").resize((128, 192), Image.Resampling.LANCZOS)


def test_minis_previews_have_the_colours_of_the_picture() -> None:
    engine = load_engine("mini")
    try:
        errors = {}
        soft = preview_samples(engine._plain, soft_colours(), device=CPU, dtype=F32)
        for name in ("poppy-dress", "mamianqun", "forest-sweater"):
            own = preview_samples(engine._plain, photo(name), device=CPU, dtype=F32)
            latents = own[0][:, :-1].reshape(1, 24, 16, -1).permute(0, 3, 1, 2)
            true = np.asarray(photo(name).resize((64, 96), Image.Resampling.BOX), float)
            for way, fit in (
                ("own", fit_preview(soft, own, device=CPU)),
                ("soft", fit_preview(soft, None, device=CPU)),
            ):
                shown = np.asarray(fit.pictures(latents)[0], float)
                errors[name, way] = np.abs(shown - true).mean()
    finally:
        engine.close()
    # Levels of 255. Fitted on saturated squares alone, white came out as cyan: 60 levels off on average.
    assert np.mean([error for (_, way), error in errors.items() if way == "soft"]) < 50, errors
    assert all(error < 20 for (_, way), error in errors.items() if way == "own"), errors
