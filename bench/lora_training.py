"""Steps a second and peak memory of our LoRA trainer beside diffusers' own training script, and whether losses agree.

    python -m bench.lora_training --checkout DIFFUSERS [--family mini] [--steps 40] [--batch 4] [--side 160]
    python -m bench.lora_training --checkout DIFFUSERS --device cuda --family sd15_plain --side 512 --precision bf16
    python -m bench.lora_training --checkout DIFFUSERS --device cuda --family sdxl_plain --side 1024 --precision bf16

DIFFUSERS is a checkout (or a git directory) of https://github.com/huggingface/diffusers: its
``examples/text_to_image/train_text_to_image_lora.py`` (``..._sdxl.py``) is run as it is, see bench.lora_plain. Each
contender has a process of its own. Both get the same family with four input channels, pictures, captions, order of
batches, noise, timesteps and initial LoRA (rank 16 on the attention), AdamW at a constant rate, no flips, no dropout.
``mini`` is the bundled family with its input layer cut down to four channels, the mask and the grey picture folded into
the bias. Gradients are clipped by neither: the script means to, but its list of parameters is used up by then.
"CPU ms" counts all threads: what other programs on the machine take hardly shows in it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

WARM = 5  # steps that are not counted
PICTURES = 7
RATE = 1e-4
CAPTIONS = ("a coat", "a man wearing a coat", "a woman wearing a coat in a park")


@dataclass(frozen=True)
class Job:
    """What both contenders train, as JSON between the processes."""

    work: Path
    checkout: Path
    family: str
    device: str
    precision: str
    steps: int
    batch: int
    side: int
    threads: int
    snr: float | None
    compile: bool
    seed: int = 11

    @property
    def xl(self) -> bool:
        """Whether it is an SDXL."""
        return "xl" in self.family

    @property
    def base(self) -> Path:
        """The family's folder."""
        return self.work / "family"

    def write(self) -> Path:
        """Into the work folder."""
        path = self.work / "job.json"
        path.write_text(json.dumps(asdict(self), default=str))
        return path

    @classmethod
    def read(cls, path: Path) -> Job:
        """What :meth:`write` wrote."""
        plain = json.loads(path.read_text())
        return cls(**{**plain, "work": Path(plain["work"]), "checkout": Path(plain["checkout"])})


def main() -> None:
    """Run both and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        job = Job(work=Path(folder), **options)
        write_base(job)
        write_pictures(job)
        path = job.write()
        rows = {name: contend(name, path) for name in ("bench.lora_plain", "bench.lora_ours")}
    report(job, rows["bench.lora_plain"], rows["bench.lora_ours"])


def _options() -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, required=True, help="a checkout of huggingface/diffusers")
    parser.add_argument("--family", default="mini", help="mini, or one of bench.random_families.PLAIN")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16", "fp16"))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--side", type=int, default=160, help="pictures are squares of this many pixels")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--snr", type=float, help="gamma of Min-SNR in both (default: off in both)")
    parser.add_argument("--compile", action="store_true", help="torch.compile in ours")
    return vars(parser.parse_args())


def contend(module: str, job: Path) -> dict[str, Any]:
    """One contender in its own process."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(Job.read(job).threads), "HF_HUB_OFFLINE": "1"}
    environment |= {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", module, str(job)], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{module} failed:\n{done.stderr[-4000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "whole": time.perf_counter() - began}


def report(job: Job, plain: dict[str, Any], ours: dict[str, Any]) -> None:
    """Print the table and how far the losses are apart."""
    print(f"{job.family}, {job.side} px, batch {job.batch}, {job.precision}, {job.device}, {job.threads} threads, "
          f"{job.steps} steps (the first {WARM} not counted), Min-SNR {job.snr}")  # fmt: skip
    print(
        f"{'':18} {'steps/s':>9} {'ms/step':>9} {'CPU ms':>7} {'peak MiB':>9} {'to step 1, s':>13} {'process, s':>11}"
    )
    for name, row in (("diffusers' script", plain), ("studio.lora", ours)):
        seconds, busy = step_seconds(row["moments"]), step_seconds(row["busy"])
        print(
            f"{name:18} {1 / seconds:9.2f} {seconds * 1000:9.1f} {busy * 1000:7.0f} "
            f"{max(row['memory']) / 2**20:9.0f} {row['moments'][0] - row['started']:13.1f} {row['whole']:11.1f}"
        )
    apart = np.abs(np.array(plain["losses"]) - np.array(ours["losses"])) / np.array(plain["losses"])
    print(f"speed x{step_seconds(plain['moments']) / step_seconds(ours['moments']):.2f}; losses apart: first "
          f"{apart[0]:.1e}, most {apart.max():.1e} of their size; first and last {plain['losses'][0]:.6f} and "
          f"{ours['losses'][0]:.6f}, {plain['losses'][-1]:.6f} and {ours['losses'][-1]:.6f}")  # fmt: skip


def step_seconds(moments: Sequence[float]) -> float:
    """Median seconds between two steps, the first ones left out."""
    return statistics.median(np.diff(moments)[WARM:])


def process_memory(device: str) -> int:
    """Peak bytes of the GPU, or of this process."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def files_of(job: Job) -> Any:
    """The family as our engine takes it."""
    from studio.diffusion.types import Defaults, FamilyFiles, Part

    kinds = json.loads((job.base / "parts.json").read_text())
    parts = tuple(Part(name, library, cls, job.base / name) for name, (library, cls) in kinds.items())
    prefix = "StableDiffusionXL" if job.xl else "StableDiffusion"
    names = f"{prefix}InpaintPipeline", f"{prefix}ControlNetInpaintPipeline"
    return FamilyFiles("bench", parts, *names, Defaults(4, 2.5, "DDIM", job.side, job.side), {})


def write_base(job: Job) -> None:
    """The family's folder, with the names of its classes beside."""
    from bench.random_families import write_family

    if job.family != "mini":
        files = write_family(job.base, job.family)
        kinds = {part.name: (part.library, part.class_name) for part in files.parts if part.name != "controlnet"}
        shutil.rmtree(job.base / "controlnet")
    else:
        write_mini(job.base)
        kinds = {"vae": ("diffusers", "AutoencoderKL"), "unet": ("diffusers", "UNet2DConditionModel"),
                 "text_encoder": ("transformers", "CLIPTextModel"), "tokenizer": ("transformers", "CLIPTokenizer"),
                 "scheduler": ("diffusers", "DDIMScheduler")}  # fmt: skip
    (job.base / "parts.json").write_text(json.dumps(kinds))


def write_mini(base: Path) -> None:
    """The bundled family with four channels in: at "paint everything" the other five are constant but for the rim."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel

    import studio.mini

    weights = Path(studio.mini.__file__).parent / "weights"
    for part in ("vae", "text_encoder", "tokenizer", "scheduler"):
        shutil.copytree(weights / part, base / part)
    unet = UNet2DConditionModel.from_pretrained(weights / "unet", dtype=torch.float32)
    vae = AutoencoderKL.from_pretrained(weights / "vae", dtype=torch.float32)
    with torch.no_grad():
        grey = vae.encode(torch.zeros(1, 3, 128, 128)).latent_dist.mean * vae.config.scaling_factor
        constant = torch.cat([torch.ones(1), grey.mean(dim=(0, 2, 3))])
        old = unet.conv_in
        new = torch.nn.Conv2d(4, old.out_channels, 3, padding=1)
        new.weight.copy_(old.weight[:, :4])
        new.bias.copy_(old.bias + (old.weight[:, 4:].sum(dim=(2, 3)) * constant).sum(dim=1))
    unet.conv_in = new
    unet.register_to_config(in_channels=4)
    unet.half().save_pretrained(base / "unet")


def write_pictures(job: Job) -> None:
    """A data set of drawn people in coats, square."""
    from studio.mini.world import draw, random_spec

    folder = job.work / "pictures"
    folder.mkdir()
    for n in range(PICTURES):
        draw(random_spec(n), (job.side, job.side)).picture.convert("RGB").save(folder / f"{n}.png")


def dataset_of(job: Job) -> Any:
    """The pictures as our trainer takes them: no masks, so that every pixel counts as it does in the script."""
    from studio.dataset.types import DataSet, Entry

    paths = sorted((job.work / "pictures").glob("*.png"))
    return DataSet("zkx", tuple(Entry(p, None, CAPTIONS[n % 3], flip=False) for n, p in enumerate(paths)))


def plan_of(job: Job) -> Any:
    """The settings on which both agree."""
    from studio.lora.types import Plan

    return Plan(
        "bench", "zkx", rank=16, alpha=16.0, steps=job.steps, batch_size=job.batch, learning_rate=RATE, clip=None,
        schedule="constant", warmup_steps=0, weight_decay=0.01, min_snr_gamma=job.snr, caption_dropout=0.0,
        masked_loss=0.0, width=job.side, height=job.side, bucket_step=8, flip=False, precision=job.precision,
        gradient_checkpointing="off", compile=job.compile, seed=job.seed, save_every=0, validate_every=0,
        sample_every=0,
    )  # fmt: skip


def picks_of(job: Job) -> list[tuple[tuple[int, bool], ...]]:
    """The batches of our order."""
    from studio.lora.order import batches, bucket_sizes

    dataset, plan = dataset_of(job), plan_of(job)
    return list(itertools.islice(batches(dataset, bucket_sizes(dataset, plan), plan), job.steps))


def rows_of(job: Job, picks: Sequence[Sequence[tuple[int, bool]]]) -> list[tuple[Path, str]]:
    """Picture and caption of every place of every batch."""
    entries = dataset_of(job).entries
    return [(entries[index].image, entries[index].caption) for batch in picks for index, _ in batch]


def draws_of(job: Job) -> list[Any]:
    """What our trainer draws at each step."""
    from studio.lora.noise import TRAIN, draw

    shape = (job.batch, 4, job.side // 8, job.side // 8)
    drawn = (draw(seed=job.seed, stream=TRAIN, index=n, shape=shape, noise_offset=0.0) for n in range(job.steps))
    return [(one.posterior, one.noise, one.timesteps) for one in drawn]


def script_arguments(job: Job) -> list[str]:
    """The same settings as the script's options."""
    given = {
        "pretrained_model_name_or_path": job.base, "train_data_dir": job.work / "pictures",
        "output_dir": job.work / "plain", "resolution": job.side, "train_batch_size": job.batch,
        "max_train_steps": job.steps, "learning_rate": RATE, "lr_scheduler": "constant", "lr_warmup_steps": 0,
        "rank": 16, "seed": job.seed, "checkpointing_steps": job.steps * 10, "adam_weight_decay": 0.01,
        "mixed_precision": "no" if job.precision == "fp32" else job.precision, "image_column": "image",
        "caption_column": "text",
    }  # fmt: skip
    if job.snr is not None:
        given["snr_gamma"] = job.snr
    return [f"--{name}={value}" for name, value in given.items()] + (["--center_crop"] if job.xl else [])


if __name__ == "__main__":
    main()
