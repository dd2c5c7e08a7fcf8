"""Put trained parts together as a family on disk: diffusers' layout, float16 safetensors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

PARTS = ("vae", "unet", "controlnet", "text_encoder", "tokenizer")
SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "trailing",
}


def export(work: Path, out: Path, *, about: dict[str, Any]) -> None:
    """Copy the parts from ``work``, write the scheduler and ``training.json`` (how these weights came to be).

    ``work`` holds ``vae`` and, in ``out``, what the denoiser's training saved.
    """
    from diffusers import AutoencoderKL, DDIMScheduler

    out.mkdir(parents=True, exist_ok=True)
    AutoencoderKL.from_pretrained(work / "vae").half().save_pretrained(out / "vae")
    for part in PARTS[1:]:
        shutil.rmtree(out / part, ignore_errors=True)
        shutil.copytree(work / "out" / part, out / part)
    DDIMScheduler(**SCHEDULER).save_pretrained(out / "scheduler")
    (out / "training.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")


def weigh(folder: Path) -> int:
    """Bytes of all safetensors below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
