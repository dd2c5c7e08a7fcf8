"""Training of UNet, ControlNet and text encoder together, from nothing, on cached latents.

v-prediction (Salimans & Ho 2022, arXiv:2202.00512, eq. for v = alpha eps - sigma x) on Stable Diffusion's scaled-linear
schedule; captions dropped at random for classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from studio.mini.family import Recipe, build_controlnet, build_text_encoder, build_unet
from studio.mini.latents import TASKS, LatentSet
from studio.mini.train_vae import Average, schedule

if TYPE_CHECKING:
    from diffusers import ControlNetModel, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

NO_CAPTION = 0.1


@dataclass(frozen=True)
class Phase:
    """What a stretch of training dwells on.

    Attributes:
        odds: how often each of :data:`TASKS` is set.
        no_control: share of steps without the ControlNet, so that the family also paints without it.
        noisy: share of each batch drawn from the noisier half of the schedule, where colours are decided.
        garment: how many times more than the scene an error on the garment counts, less one.
        words: learning rate of the text encoder and the cross-attention, in rates of the rest.
    """

    odds: tuple[float, ...]
    no_control: float
    noisy: float
    garment: float
    words: float


# First everything at once; then mostly pictures in which only the words say what colour the garment has. Without the
# last two numbers, 4,500 steps taught poses and scenes but no garment's colour; with them, 1,400 more were enough.
PHASES = {
    "all": Phase((0.32, 0.4, 0.18, 0.1), 0.12, noisy=0.0, garment=0.0, words=1.0),
    "words": Phase((0.6, 0.16, 0.2, 0.04), 0.25, noisy=0.5, garment=5.0, words=4.0),
}


@dataclass(frozen=True)
class Denoiser:
    """The three modules trained together, and the averages that are saved."""

    unet: UNet2DConditionModel
    controlnet: ControlNetModel
    text: CLIPTextModel
    average: Average

    @property
    def modules(self) -> list[torch.nn.Module]:
        return [self.unet, self.controlnet, self.text]

    def save(self, folder: Path) -> None:
        """Write the averaged weights as float16 in diffusers' layout."""
        self.average.swap()
        for module, name in zip(self.modules, ("unet", "controlnet", "text_encoder"), strict=True):
            module.half().save_pretrained(folder / name)  # type: ignore[operator]  # diffusers' and transformers' own method
            module.float()
        self.average.swap()


def build(recipe: Recipe, tokenizer: CLIPTokenizer, *, device: str, seed: int) -> Denoiser:
    """Fresh modules; equal seeds give equal weights."""
    torch.manual_seed(seed)
    text = build_text_encoder(
        recipe, vocabulary=len(tokenizer), start=tokenizer.bos_token_id, end=tokenizer.eos_token_id
    )
    unet, controlnet = build_unet(recipe).to(device), build_controlnet(recipe).to(device)
    text = text.to(device)
    return Denoiser(unet, controlnet, text, Average([unet, controlnet, text], decay=0.9995))


def resume(folder: Path, *, device: str) -> Denoiser:
    """The modules of a family on disk, in float32."""
    from diffusers import ControlNetModel, UNet2DConditionModel
    from transformers import CLIPTextModel

    kinds = ((UNet2DConditionModel, "unet"), (ControlNetModel, "controlnet"), (CLIPTextModel, "text_encoder"))
    unet, controlnet, text = (kind.from_pretrained(folder / name).float().to(device) for kind, name in kinds)
    return Denoiser(unet, controlnet, text, Average([unet, controlnet, text], decay=0.9995))


def noise_schedule() -> torch.Tensor:
    """(1000,) cumulative products of alpha, Stable Diffusion's: betas linear in their roots from 0.00085 to 0.012."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


@dataclass(frozen=True)
class Batch:
    """One optimiser step's input, on the device."""

    clean: torch.Tensor
    mask: torch.Tensor
    masked: torch.Tensor
    garment: torch.Tensor
    skeleton: torch.Tensor
    tokens: torch.Tensor


def draw_batch(
    data: LatentSet, count: int, empty: torch.Tensor, odds: tuple[float, ...], rng: np.random.Generator, device: str
) -> Batch:
    """Random pictures, each under a random task; some captions are emptied."""
    rows = rng.integers(len(data.latents), size=count)
    tasks = rng.choice(len(TASKS), size=count, p=odds)

    def up(array: np.ndarray) -> torch.Tensor:  # type: ignore[type-arg]  # several dtypes
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    tokens = up(data.tokens[rows])
    tokens[up(rng.random(count) < NO_CAPTION)] = empty
    skeleton = up(data.skeletons[rows]).permute(0, 3, 1, 2).float() / 255
    mask = up(data.masks[rows, tasks])[:, None].float()
    garment = up(data.masks[rows, TASKS.index("swap")])[:, None].float()
    return Batch(
        up(data.latents[rows]).float(),
        mask,
        up(data.masked[rows, tasks]).float(),
        garment,
        skeleton.contiguous(),
        tokens,
    )


def loss_of(
    denoiser: Denoiser, batch: Batch, alphas: torch.Tensor, *, control: bool, phase: Phase, device: str
) -> torch.Tensor:
    """Mean squared error of v, weighted towards the garment as the phase says."""
    noise = torch.randn_like(batch.clean)
    count = len(batch.clean)
    late = torch.rand(count, device=device) < phase.noisy
    t = torch.where(
        late, torch.randint(450, 1000, (count,), device=device), torch.randint(0, 1000, (count,), device=device)
    )
    a, s = alphas[t].sqrt()[:, None, None, None], (1 - alphas[t]).sqrt()[:, None, None, None]
    noised, target = a * batch.clean + s * noise, a * noise - s * batch.clean
    x = torch.cat([noised, batch.mask, batch.masked], dim=1)
    with torch.autocast(device, dtype=torch.bfloat16):
        words = denoiser.text(batch.tokens)[0]
        down, mid = None, None
        if control:
            down, mid = denoiser.controlnet(noised, t, words, controlnet_cond=batch.skeleton, return_dict=False)
        v = denoiser.unet(
            x, t, words, down_block_additional_residuals=down, mid_block_additional_residual=mid, return_dict=False
        )[0]
    weight = 1 + phase.garment * batch.garment
    return torch.as_tensor(((v.float() - target).square() * weight).mean() / weight.mean())


def _groups(denoiser: Denoiser, phase: Phase) -> list[dict[str, Any]]:
    """Two parameter groups: what reads words (text encoder, cross-attention), and the rest."""
    named = [(name, p) for m in (denoiser.unet, denoiser.controlnet) for name, p in m.named_parameters()]
    words = [p for name, p in named if "attn2" in name] + list(denoiser.text.parameters())
    rest = [p for name, p in named if "attn2" not in name]
    return [{"params": words, "factor": phase.words}, {"params": rest, "factor": 1.0}]


def train(
    recipe: Recipe,
    data: LatentSet,
    tokenizer: CLIPTokenizer,
    out: Path,
    *,
    device: str,
    seed: int,
    say: Callable[[str], None],
    phase: Phase,
    steps: int,
    seconds: float | None = None,
    save_every: int = 1000,
    start: Path | None = None,
) -> Denoiser:
    """Train for ``steps``, or until ``seconds`` have passed: the learning rate falls with what is left of either.

    ``start`` goes on from a family's saved averages, with fresh optimiser state.
    """
    denoiser = build(recipe, tokenizer, device=device, seed=seed) if start is None else resume(start, device=device)
    parameters = [p for m in denoiser.modules for p in m.parameters()]
    optimiser = torch.optim.AdamW(
        _groups(denoiser, phase), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    rng, alphas = np.random.default_rng(seed), noise_schedule().to(device)
    empty = torch.from_numpy(
        np.asarray(tokenizer("", padding="max_length", max_length=data.tokens.shape[1])["input_ids"])
    ).to(device)
    began, mean, step = time.monotonic(), 0.0, 0
    while True:
        spent = time.monotonic() - began
        done = spent / seconds if seconds else step / steps
        if done >= 1:
            break
        rate = recipe.rate * min(1.0, (step + 1) / 200) * schedule(int(done * 10_000), 10_000, warm_up=0)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        batch = draw_batch(data, recipe.batch, empty, phase.odds, rng, device)
        control = rng.random() >= phase.no_control
        loss = loss_of(denoiser, batch, alphas, control=control, phase=phase, device=device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        denoiser.average.update()
        mean += (loss.item() - mean) * max(0.01, 1 / (step + 1))
        if step % 50 == 0:
            say(f"denoiser step {step} loss {mean:.4f} rate {rate:.2e} {spent:.0f} s")
        step += 1
        if step % save_every == 0:
            denoiser.save(out)
    say(f"denoiser done: {step} steps in {time.monotonic() - began:.0f} s, loss {mean:.4f}")
    denoiser.save(out)
    return denoiser
