"""What the family can do, in figures, on held-out scenes of the world; and a contact sheet to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from studio.mini.data import HELD_OUT, NATIVE, Rendered
from studio.mini.judge import BODY, GARMENT, Judge, classes, look
from studio.mini.train_vae import to_tensor
from studio.mini.world import random_spec
from studio.mini.world.spec import COLOURS

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer


@dataclass(frozen=True)
class Family:
    """The parts of a family, loaded in float32."""

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    controlnet: ControlNetModel
    text: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: DDIMScheduler

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> Family:
        """Read the family's folder."""
        from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
        from transformers import CLIPTextModel, CLIPTokenizer

        def part(kind: Any, name: str) -> Any:
            return kind.from_pretrained(folder / name).float().to(device).eval()

        tokenizer, scheduler = (
            CLIPTokenizer.from_pretrained(folder / "tokenizer"),
            DDIMScheduler.from_pretrained(folder / "scheduler"),
        )
        return cls(
            part(AutoencoderKL, "vae"),
            part(UNet2DConditionModel, "unet"),
            part(ControlNetModel, "controlnet"),
            part(CLIPTextModel, "text_encoder"),
            tokenizer,
            scheduler,
        )

    def untrained(self, seed: int) -> Family:
        """The same shapes with fresh denoiser and text encoder; the autoencoder stays, or nothing could be decoded."""
        torch.manual_seed(seed)
        device = self.unet.device
        fresh = [
            type(m)(m.config) if m is self.text else type(m).from_config(m.config)
            for m in (self.unet, self.controlnet, self.text)
        ]
        unet, controlnet, text = (m.to(device).eval() for m in fresh)
        return Family(self.vae, unet, controlnet, text, self.tokenizer, self.scheduler)


@dataclass(frozen=True)
class Ask:
    """One evaluation run: prompts, skeletons (n, H, W, 3) uint8, and what is repainted (n, H, W) of which pictures."""

    prompts: list[str]
    skeletons: NDArray[np.uint8]
    pictures: NDArray[np.uint8]
    repaint: NDArray[np.bool_]
    control: bool
    seed: int


@torch.no_grad()
def paint(family: Family, ask: Ask, *, steps: int, guidance: float, batch: int = 10) -> NDArray[np.uint8]:
    """(n, H, W, 3) uint8: batched DDIM (Song et al. 2021, arXiv:2010.02502), each picture with its own prompt."""
    out = []
    for start in range(0, len(ask.prompts), batch):
        part = slice(start, start + batch)
        latents = _denoise(family, ask, part, steps=steps, guidance=guidance)
        decoded = family.vae.decode(latents / family.vae.config.scaling_factor).sample
        out.append(((decoded.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy())
    return np.concatenate(out)


def _denoise(family: Family, ask: Ask, part: slice, *, steps: int, guidance: float) -> torch.Tensor:
    device = family.unet.device
    words = _words(family, ask.prompts[part])
    skeleton = (to_tensor(ask.skeletons[part], str(device)) + 1).div(2).contiguous()
    repaint = torch.from_numpy(ask.repaint[part]).to(device)[:, None]
    pictures = to_tensor(ask.pictures[part], str(device)) * ~repaint
    masked = family.vae.encode(pictures.contiguous()).latent_dist.mean * family.vae.config.scaling_factor
    mask = repaint[:, :, ::8, ::8].float()
    noise = [
        torch.randn(masked.shape[1:], generator=torch.Generator().manual_seed(ask.seed + part.start + k))
        for k in range(len(masked))
    ]
    x = torch.stack(noise).to(device)
    family.scheduler.set_timesteps(steps)
    for t in family.scheduler.timesteps:
        x2 = torch.cat([x, x])
        down, mid = None, None
        if ask.control:
            down, mid = family.controlnet(
                x2, t, words, controlnet_cond=torch.cat([skeleton, skeleton]), return_dict=False
            )
        inputs = torch.cat([x2, torch.cat([mask, mask]), torch.cat([masked, masked])], dim=1)
        v = family.unet(
            inputs, t, words, down_block_additional_residuals=down, mid_block_additional_residual=mid, return_dict=False
        )[0]
        empty, full = v.chunk(2)
        x = family.scheduler.step(empty + guidance * (full - empty), t, x).prev_sample
    return torch.as_tensor(x)


def _words(family: Family, prompts: list[str]) -> torch.Tensor:
    length = family.tokenizer.model_max_length
    ids = family.tokenizer(
        [""] * len(prompts) + prompts, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    ).input_ids
    return torch.as_tensor(family.text(ids.to(family.text.device))[0])


@dataclass(frozen=True)
class Figures:
    """One row of the table; shares 0..1, colour differences in CIEDE2000."""

    silhouette_on: float
    silhouette_off: float
    colour_share: float
    colour_median: float
    seam: float


def measure(
    family: Family, judge: Judge, data: Rendered, *, steps: int, guidance: float
) -> tuple[Figures, dict[str, NDArray[np.uint8]]]:
    """Figures of a family, and the pictures they were taken from."""
    everything = np.ones(data.parts.shape, bool)
    garment = classes(data.parts) == GARMENT
    painted = {}
    for name, repaint, control in (("on", everything, True), ("off", everything, False), ("kept", ~garment, True)):
        ask = Ask(data.captions, data.skeletons, data.pictures, repaint, control, 1234)
        painted[name] = paint(family, ask, steps=steps, guidance=guidance)
    colours = colour_errors(look(judge, painted["on"]), painted["on"])
    return (
        Figures(
            silhouette(judge, painted["on"], data),
            silhouette(judge, painted["off"], data),
            float((colours < 20).mean()),
            float(np.median(colours)),
            seam_error(painted["kept"], data.pictures, garment),
        ),
        painted,
    )


def silhouette(judge: Judge, pictures: NDArray[np.uint8], data: Rendered) -> float:
    """Mean IoU of the figure the judge sees with the silhouette of the asked pose's own drawing."""
    seen = look(judge, pictures) >= BODY
    true = data.parts[:, ::2, ::2] > 0
    both, either = (seen & true).sum(axis=(1, 2)), (seen | true).sum(axis=(1, 2))
    return float((both / np.maximum(either, 1)).mean())


def colour_errors(
    seen: NDArray[np.uint8], pictures: NDArray[np.uint8], *, first: int = HELD_OUT
) -> NDArray[np.float64]:
    """(n,) CIEDE2000 (Sharma et al. 2005) between a garment's asked colour and what the judge calls garment.

    The median pixel counts; of a patterned garment, of which about half is the second colour, the lower quartile. 100
    where
    the judge sees no garment at all.
    """
    from skimage.color import deltaE_ciede2000, rgb2lab

    out = []
    for index, (classes_, picture) in enumerate(zip(seen, pictures, strict=True)):
        pixels = picture[::2, ::2][classes_ == GARMENT]
        garment = random_spec(first + index).garments[0]
        asked = rgb2lab(np.asarray(COLOURS[garment.colour], np.uint8)[None, None])[0, 0]
        if len(pixels) < 20:
            out.append(100.0)
            continue
        each = deltaE_ciede2000(rgb2lab(pixels[None])[0], asked[None])
        out.append(float(np.quantile(each, 0.5 if garment.pattern == "plain" else 0.25)))
    return np.asarray(out)


def seam_error(pictures: NDArray[np.uint8], truth: NDArray[np.uint8], garment: NDArray[np.bool_]) -> float:
    """Mean CIEDE2000 between repaint and truth on the kept garment's rim (3 px), before any compositing."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    out = []
    for picture, true, mask in zip(pictures, truth, garment, strict=True):
        rim = mask & ~cv2.erode(mask.astype(np.uint8), kernel).astype(bool)
        if rim.any():
            out.append(float(deltaE_ciede2000(rgb2lab(picture[rim][None]), rgb2lab(true[rim][None])).mean()))
    return float(np.mean(out))


def table(rows: dict[str, Figures], ceiling: tuple[float, float]) -> str:
    """The printed table; the last row is what the judge makes of true pictures."""
    head = f"{'':12} {'IoU on':>8} {'IoU off':>8} {'colour <20':>11} {'median dE':>10} {'seam dE':>8}"
    lines = [head, *(_row(name, figures) for name, figures in rows.items())]
    return "\n".join([*lines, f"{'true scenes':12} {ceiling[0]:8.3f} {'':8} {ceiling[1]:11.1%}"])


def _row(name: str, figures: Figures) -> str:
    shares = f"{figures.silhouette_on:8.3f} {figures.silhouette_off:8.3f} {figures.colour_share:11.1%}"
    return f"{name:12} {shares} {figures.colour_median:10.1f} {figures.seam:8.1f}"


def contact_sheet(data: Rendered, painted: dict[str, NDArray[np.uint8]], *, count: int = 16) -> Image.Image:
    """Columns of held-out scenes: truth, skeleton, painted from words and skeleton, and with the garment kept."""
    rows = [data.pictures, data.skeletons, painted["on"], painted["kept"]]
    width, height = NATIVE
    sheet = np.concatenate([np.concatenate(list(row[:count]), axis=1) for row in rows])
    return Image.fromarray(sheet).resize((width * count, height * len(rows)))


def evaluate(
    folder: Path, data: Rendered, judge: Judge, *, steps: int, guidance: float, say: Callable[[str], None]
) -> tuple[str, Image.Image]:
    """The table of trained and untrained weights, and the contact sheet."""
    family = Family.load(folder)
    say("painting with the trained weights")
    trained, painted = measure(family, judge, data, steps=steps, guidance=guidance)
    say("painting with untrained weights")
    fresh, _ = measure(family.untrained(7), judge, data, steps=steps, guidance=guidance)
    true_colours = colour_errors(look(judge, data.pictures), data.pictures)
    ceiling = (silhouette(judge, data.pictures, data), float((true_colours < 20).mean()))
    return table({"trained": trained, "untrained": fresh}, ceiling), contact_sheet(data, painted)
