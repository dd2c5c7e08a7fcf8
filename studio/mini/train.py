"""The recipe from nothing to a family on disk: render, autoencoder, latents, denoiser, export; each stage kept, so
that it can go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.mini.data import Rendered, load, render
from studio.mini.family import MAX_TOKENS, Recipe

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

    from studio.mini.latents import LatentSet

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """One training.

    Attributes:
        recipe: sizes and lengths.
        work: folder for everything between; a stage whose output is there is not run again.
        out: where the family goes.
        device: "cpu" or "cuda".
        seed: of weights, order and noise.
        workers: processes that render.
        minutes: wall time for the denoiser instead of its steps; None for the recipe's steps.
        start: a family's folder to go on from instead of fresh denoiser weights.
    """

    recipe: Recipe
    work: Path
    out: Path
    device: str
    seed: int
    workers: int
    minutes: float | None = None
    start: Path | None = None


def train(plan: Plan, say: Say) -> dict[str, Any]:
    """Run the stages that are not there yet; returns what ``training.json`` says."""
    from studio.mini.export import export

    began = time.monotonic()
    say(f"rendering {plan.recipe.pictures} pictures")
    data = load(render(plan.work / "data", plan.recipe.pictures, workers=plan.workers))
    with _settled():
        _autoencoder(plan, data, say)
        _denoiser(plan, data, say)
    spent = round((time.monotonic() - began) / 60, 1)
    about = {"recipe": asdict(plan.recipe), "device": plan.device, "seed": plan.seed, "minutes": spent}
    export(plan.work, plan.out, about=about)
    return about


@contextmanager
def _settled() -> Iterator[None]:
    """Numbers below the normal range make a CPU step several times slower and mean nothing here: count them as zero."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _autoencoder(plan: Plan, data: Rendered, say: Say) -> None:
    from studio.mini.train_vae import train_vae

    if (plan.work / "vae" / "config.json").exists():
        say("the autoencoder is there already")
        return
    aside = plan.work / "vae.part"
    train_vae(plan.recipe, lambda: data.pictures, aside, device=plan.device, seed=plan.seed, say=say)
    aside.rename(plan.work / "vae")


def _denoiser(plan: Plan, data: Rendered, say: Say) -> None:
    from diffusers import AutoencoderKL

    from studio.mini import latents
    from studio.mini.tokens import train_tokenizer

    tokenizer = train_tokenizer(data.captions, plan.work / "out" / "tokenizer")
    cached = plan.work / "latents.npz"
    if not cached.exists():
        ids = tokenizer(data.captions, padding="max_length", max_length=MAX_TOKENS, truncation=True)["input_ids"]
        vae = AutoencoderKL.from_pretrained(plan.work / "vae").to(plan.device).eval()
        made = latents.build(vae, data, np.asarray(ids, np.int64), device=plan.device, seed=plan.seed, say=say)
        latents.save(made, cached)
    _phases(plan, latents.load(cached), tokenizer, say)


def _phases(plan: Plan, data: LatentSet, tokenizer: CLIPTokenizer, say: Say) -> None:
    """Both phases, the second going on from what the first saved; ``minutes`` are shared between them."""
    from studio.mini.train_denoiser import PHASES, train

    recipe, out = plan.recipe, plan.work / "out"
    whole = recipe.steps + recipe.word_steps
    for name, steps, start in (("all", recipe.steps, plan.start), ("words", recipe.word_steps, out)):
        seconds = None if plan.minutes is None else plan.minutes * 60 * steps / whole
        say(f"phase {name!r}")
        train(
            recipe,
            data,
            tokenizer,
            out,
            device=plan.device,
            seed=plan.seed,
            say=say,
            phase=PHASES[name],
            steps=steps,
            seconds=seconds,
            start=start,
        )


def shortened(recipe: Recipe, *, pictures: int | None, vae_steps: int | None) -> Recipe:
    """The recipe with fewer pictures or autoencoder steps."""
    return replace(recipe, pictures=pictures or recipe.pictures, vae_steps=vae_steps or recipe.vae_steps)
