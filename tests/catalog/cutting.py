"""What the tests of cutting out share: a light executor, photos with their embeddings, masks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from catalog import tasks
from catalog.models import Embedding, Garment, GarmentPhoto
from catalog.services import garments, photos
from catalog.services.garments import Details
from imodel_site.lib.jobs import executors, rundir
from imodel_site.lib.jobs.claims import claim_next
from tests.catalog.pictures import jpeg, png, upload

SIZE = (200, 300)


@contextmanager
def light_executor(**environment: str) -> Iterator[None]:
    """``python -m studio serve --light`` where the worker looks for it."""
    import os

    path = executors.socket_path("light", 0)
    rundir.path("x").parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "studio", "serve", "--socket", str(path), "--light"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def garment(merchant: Any, name: str = "Linen shirt") -> Garment:
    """A garment."""
    return garments.create_garment(merchant=merchant, details=Details(name))


def photo(merchant: Any, seed: int = 1, of: Garment | None = None) -> GarmentPhoto:
    """A photo of a garment."""
    return photos.add_photo(garment=of or garment(merchant), merchant=merchant, file=jpeg(seed, SIZE))[0]


def embed(asset: Any) -> Embedding:
    """As a worker of the light lane does."""
    work = claim_next("light", "test", models=[Embedding])
    assert work is not None and work.job.asset_id == asset.pk
    tasks.embed_photo(work)
    return Embedding.objects.get(asset=asset)


def mask_png(box: tuple[int, int, int, int] = (50, 60, 150, 200), size: tuple[int, int] = SIZE) -> bytes:
    """White within a box."""
    levels = np.zeros((size[1], size[0]), np.uint8)
    levels[box[1] : box[3], box[0] : box[2]] = 255
    return png(Image.fromarray(levels))


def mask_file(**box: Any) -> Any:
    """As a browser sends it."""
    return upload(mask_png(**box), "mask.png", "image/png")
