"""A photo through an engine's autoencoder and back: what painted pictures are compared with."""

from __future__ import annotations

import copy

import numpy as np
import torch
from PIL import Image

from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.shown import as_shown
from studio.diffusion.types import FamilyFiles


def by_hand(vae: torch.nn.Module, photo: Image.Image) -> np.ndarray:
    pixels = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        made = vae.decode(vae.encode(pixels).latent_dist.mean).sample[0]
    return ((made.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()


def test_it_is_encoded_and_decoded_and_keeps_its_size(sd_engine: DiffusersEngine, photo: Image.Image) -> None:
    shown = as_shown(sd_engine, photo)
    assert shown.size == photo.size
    assert np.array_equal(np.asarray(shown), by_hand(sd_engine.parts["vae"], photo))


def test_an_autoencoder_that_overflows_in_half_precision_works_in_full_for_a_moment(
    xl_family: FamilyFiles, photo: Image.Image
) -> None:
    engine = DiffusersEngine(xl_family, device="cpu", dtype="float16")
    expected = by_hand(copy.deepcopy(engine.parts["vae"]).float(), photo)
    assert np.array_equal(np.asarray(as_shown(engine, photo)), expected)
    assert engine.parts["vae"].dtype == torch.float16
    engine.close()
