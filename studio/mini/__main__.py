"""``python -m studio.mini train|evaluate|render|segmenter``: the recipes behind the bundled weights."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from studio.mini.family import RECIPES
from studio.mini.segmenter import command as segmenter

WEIGHTS = Path(__file__).parent / "weights"


def main(arguments: list[str] | None = None) -> int:
    """Parse and run."""
    args = _parser().parse_args(arguments)
    return int(args.handler(args))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studio.mini", description="The bundled preview family: how it was made, and what it can do."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    train = actions.add_parser(
        "train", help="from nothing to a family on disk; a stage whose output is in --work is not run again"
    )
    train.add_argument(
        "--recipe",
        choices=list(RECIPES),
        default="cpu",
        help="cpu fits in 2.5 hours on 2 cores; large wants an accelerator",
    )
    train.add_argument("--work", type=Path, default=Path("var/mini"), help="folder for what lies between the stages")
    train.add_argument("--out", type=Path, default=WEIGHTS, help="where the family goes")
    train.add_argument("--device", default=None, help="cpu or cuda (default: cuda when there is some)")
    train.add_argument("--seed", type=int, default=5)
    train.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="processes that render")
    train.add_argument("--minutes", type=float, help="train the denoiser for this long instead of the recipe's steps")
    train.add_argument("--start", type=Path, help="a family's folder to go on from")
    train.add_argument("--pictures", type=int, help="render this many instead of the recipe's")
    train.add_argument(
        "--vae-steps", type=int, help="train the autoencoder for this many steps instead of the recipe's"
    )
    train.set_defaults(handler=_train)
    evaluate = actions.add_parser(
        "evaluate", help="figures on held-out scenes, trained beside untrained, and a contact sheet"
    )
    evaluate.add_argument("--weights", type=Path, default=WEIGHTS)
    evaluate.add_argument("--scenes", type=int, default=200)
    evaluate.add_argument("--steps", type=int, default=16)
    evaluate.add_argument("--guidance", type=float, default=2.5)
    evaluate.add_argument("--work", type=Path, default=Path("var/mini"))
    evaluate.set_defaults(handler=_evaluate)
    _add_render(actions)
    segmenter.add_to(actions, _say)
    return parser


def _add_render(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    render = actions.add_parser("render", help="draw pictures of the world, at any size, with their masks")
    render.add_argument("--out", type=Path, default=Path("var/world"))
    render.add_argument("--count", type=int, default=12)
    render.add_argument("--first-seed", type=int, default=0)
    render.add_argument("--size", default="512x768")
    render.set_defaults(handler=_render)


def _say(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def _train(args: argparse.Namespace) -> int:
    import torch

    from studio.mini.train import Plan, shortened, train

    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    recipe = shortened(RECIPES[args.recipe], pictures=args.pictures, vae_steps=args.vae_steps)
    args.work.mkdir(parents=True, exist_ok=True)
    train(Plan(recipe, args.work, args.out, device, args.seed, args.workers, args.minutes, args.start), _say)
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from studio.mini.data import HELD_OUT, load, render
    from studio.mini.evaluate import evaluate
    from studio.mini.judge import train_judge

    held_out = load(render(args.work / "held-out", args.scenes, first_seed=HELD_OUT))
    judge = train_judge(load(render(args.work / "data", 2000)), steps=600, seed=3, say=_say)
    text, sheet = evaluate(args.weights, held_out, judge, steps=args.steps, guidance=args.guidance, say=_say)
    sheet.save(args.work / "contact-sheet.png")
    sys.stdout.write(f"{text}\ncontact sheet: {args.work / 'contact-sheet.png'}\n")
    return 0


def _render(args: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from studio.mini.world import draw, random_spec

    width, height = (int(n) for n in args.size.split("x"))
    args.out.mkdir(parents=True, exist_ok=True)
    for seed in range(args.first_seed, args.first_seed + args.count):
        drawing = draw(random_spec(seed), (width, height))
        drawing.picture.save(args.out / f"{seed:06d}.png")
        Image.fromarray(drawing.garment.astype(np.uint8) * 255).save(args.out / f"{seed:06d}-garment.png")
        (args.out / f"{seed:06d}.txt").write_text(drawing.caption + "\n")
    _say(f"{args.count} pictures in {args.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
