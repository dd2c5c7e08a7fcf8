"""``python -m studio.mini segmenter train|export|evaluate|look``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from studio.segmentation.bundled import FOLDER

Say = Callable[[str], None]


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
    """The sub-commands, each with a handler that gets the parsed arguments."""
    segmenter = actions.add_parser("segmenter", help="the bundled small SAM: train it, write its files, measure them")
    steps = segmenter.add_subparsers(required=True, metavar="STEP")
    _add_train(steps, say)
    export = steps.add_parser("export", help="a checkpoint becomes the files that ship")
    export.add_argument("--checkpoint", type=Path, default=Path("var/segmenter/segmenter.pt"))
    export.add_argument("--out", type=Path, default=FOLDER)
    export.add_argument("--about", default="", help="how the weights came about, for card.json")
    export.set_defaults(handler=_export)
    evaluate = steps.add_parser("evaluate", help="IoU by the number of simulated clicks on held-out scenes")
    evaluate.add_argument("--weights", type=Path, default=FOLDER)
    evaluate.add_argument("--scenes", type=int, default=100)
    evaluate.add_argument("--work", type=Path, default=Path("var/segmenter"))
    evaluate.set_defaults(handler=lambda args: _evaluate(args, say))
    look = steps.add_parser("look", help="clicks on a photo, drawn: FILE x,y[,0] ...")
    look.add_argument("photo", type=Path)
    look.add_argument("clicks", nargs="+", help="x,y adds; x,y,0 removes; pixels of the photo")
    look.add_argument("--weights", type=Path, default=FOLDER)
    look.add_argument("--out", type=Path, default=Path("var/segmenter/look.png"))
    look.set_defaults(handler=_look)


def _add_train(steps: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
    train = steps.add_parser("train", help="from nothing to a checkpoint")
    train.add_argument(
        "--recipe", choices=["cpu", "large", "smoke"], default="cpu", help="cpu fits in 2.5 CPU hours; large wants CUDA"
    )
    train.add_argument("--work", type=Path, default=Path("var/segmenter"))
    train.add_argument("--device", default=None, help="cpu or cuda (default: cuda when there is some)")
    train.add_argument("--seed", type=int, default=7)
    train.add_argument("--workers", type=int, default=1, help="processes that compose samples")
    train.add_argument("--minutes", type=float, help="wall time of all phases together instead of the recipe's steps")
    train.add_argument("--start", type=Path, help="a checkpoint to go on from")
    train.add_argument("--phases", help="only these phases of the recipe, such as 1,2")
    train.set_defaults(handler=lambda args: _train(args, say))


def _train(args: argparse.Namespace, say: Say) -> int:
    import torch

    from studio.mini.segmenter.train import RECIPES, Plan, train

    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    phases = tuple(int(n) for n in args.phases.split(",")) if args.phases else None
    plan = Plan(RECIPES[args.recipe], args.work, device, args.seed, args.workers, args.minutes, args.start, phases)
    train(plan, say)
    return 0


def _export(args: argparse.Namespace) -> int:
    from studio.mini.segmenter.export import export, load

    export(load(args.checkpoint), args.out, about={"trained": args.about})
    return 0


def _evaluate(args: argparse.Namespace, say: Say) -> int:
    from studio.mini.segmenter.evaluate import evaluate

    say(evaluate(args.weights, args.work, scenes=args.scenes, say=say))
    return 0


def _look(args: argparse.Namespace) -> int:
    from studio.images import open_photo
    from studio.mini.segmenter.evaluate import Model, drawn

    clicks = [tuple(float(v) for v in click.split(",")) for click in args.clicks]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    drawn(Model.open(args.weights), open_photo(args.photo), clicks).save(args.out)
    return 0
