"""A shoot from process start to files on disk, split by stage, beside the bare diffusers pipeline call.

    python -m bench.shoot [--photo PHOTO] [--runs N] [--engine FAMILY] [--steps N]

``whole process`` is ``python -m studio shoot`` timed from outside. The stages come from a resident crew's second shoot.
The peer is the family's own diffusers pipeline called with the same picture, mask, skeleton, prompt, seed and steps.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

from studio.diffusion.engine import DiffusersEngine
from studio.pose.openpose import render_skeleton
from studio.shoot.flow import NEGATIVE, shoot
from studio.shoot.run import Crew, bring_up
from studio.shoot.types import Order, Outcome
from studio.weights.store import locate


def main() -> int:
    """Run and print the table."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        photo = args.photo or _astronaut(Path(folder))
        started = [_whole_process(photo, Path(folder), args) for _ in range(args.runs)]
        rows = [("whole process, start to files", min(started), max(started))]
        rows += _inside(photo, args)
    _print(rows, args)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engine", default="mini")
    parser.add_argument("--steps", type=int)
    return parser.parse_args()


def _astronaut(folder: Path) -> Path:
    path = folder / "astronaut.png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


def _whole_process(photo: Path, folder: Path, args: argparse.Namespace) -> float:
    command = [sys.executable, "-m", "studio", "shoot", str(photo), "--out", str(folder / "out.png"), "--quiet"]
    command += ["--engine", args.engine] + (["--steps", str(args.steps)] if args.steps else [])
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _inside(photo: Path, args: argparse.Namespace) -> list[tuple[str, float, float]]:
    from studio.images import open_photo
    from studio.shoot.finish import finished

    rows = []
    picture, spent = _timed(lambda: open_photo(photo))
    rows.append(("  open photo (child process)", spent, spent))
    crew, spent = _timed(lambda: bring_up(args.engine))
    rows.append(("  import and load engine, detector", spent, spent))
    with crew:
        order = Order(photo=picture, steps=args.steps, engine=args.engine)
        outcomes = [_timed(lambda: _take(crew, order)) for _ in range(args.runs + 1)][1:]
        for stage in outcomes[0][0].timings:
            times = [outcome.timings[stage] for outcome, _ in outcomes]
            rows.append((f"  {stage}", min(times), max(times)))
        rows.append(("resident shoot, all stages", min(t for _, t in outcomes), max(t for _, t in outcomes)))
        _, spent = _timed(lambda: finished(outcomes[0][0].shots[0], "png", kept=True))
        rows.append(("  label and encode the file", spent, spent))
        bare = [_timed(lambda: _bare(crew, outcomes[0][0]))[1] for _ in range(args.runs + 1)][1:]
        rows.append(("bare diffusers pipeline call", min(bare), max(bare)))
    return rows


def _take(crew: Crew, order: Order) -> Outcome:
    return shoot(order, engine=crew.engine, detector=crew.detector, weights=crew.weights)


def _bare(crew: Crew, outcome: Outcome) -> Any:
    """The same repaint by the family's plain pipeline, built from the engine's own modules."""
    import torch
    from diffusers import DDIMScheduler, StableDiffusionControlNetInpaintPipeline

    engine = crew.engine
    if not isinstance(engine, DiffusersEngine):
        raise TypeError("the peer is diffusers' own pipeline")
    parameters: Any = outcome.shots[0].recipe["engine"]["parameters"]
    size = (parameters["width"], parameters["height"])
    scheduler = DDIMScheduler.from_pretrained(locate(engine.name).root / "scheduler")
    pipeline = StableDiffusionControlNetInpaintPipeline(
        **engine.parts, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    mask = Image.fromarray((~outcome.table.kept).astype(np.uint8) * 255)
    return pipeline(
        prompt=outcome.shots[0].recipe["prompt"],
        negative_prompt=NEGATIVE,
        image=outcome.table.source.resize(size),
        mask_image=mask.resize(size),
        control_image=render_skeleton(outcome.table.asked, size),
        width=size[0],
        height=size[1],
        num_inference_steps=parameters["steps"],
        guidance_scale=parameters["guidance_scale"],
        generator=torch.Generator().manual_seed(0),
    ).images[0]


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    value = call()
    return value, time.perf_counter() - began


def _print(rows: list[tuple[str, float, float]], args: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    own, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    sys.stdout.write(f"{args.engine}, {os.cpu_count()} cores, load {load:.1f}, {args.runs} runs\n")
    sys.stdout.write(f"{'':36} {'best s':>8} {'worst s':>8}\n")
    for name, best, worst in rows:
        sys.stdout.write(f"{name:36} {best:8.2f} {worst:8.2f}\n")
    sys.stdout.write(f"peak memory: shoot process {child:.0f} MB, resident with bench {own:.0f} MB\n")


if __name__ == "__main__":
    raise SystemExit(main())
