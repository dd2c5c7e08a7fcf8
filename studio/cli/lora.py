"""``python -m studio lora``: train a garment's adapter, look at one, write one in kohya's layout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from studio.errors import Cancelled, InputError

if TYPE_CHECKING:
    from studio.dataset.types import DataSet
    from studio.lora.types import Plan, SampleReport, StepReport, Trained, ValidationReport

TELL_EVERY = 10  # steps between two lines


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add ``lora`` and its own sub-commands; each sets ``handler``, a function of the arguments that returns 0."""
    parser = subparsers.add_parser(
        "lora",
        help="train a garment's LoRA, inspect one, export one",
        description="Adapters (LoRA) for garments: trained from a folder of pictures in kohya's layout, safetensors in "
        "and out (docs/training.md).",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_train(actions)
    _add_inspect(actions)
    _add_export(actions)


def _add_train(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        "train",
        help="train an adapter, or go on with a training that was stopped or killed",
        description="Train an adapter. --out keeps checkpoints, samples and log.jsonl; the same command goes on from "
        "the last checkpoint. Ctrl-C and SIGTERM save one first; a second Ctrl-C does not.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="pictures in kohya's folder layout")
    parser.add_argument("--family", required=True, help="the base: mini, sd15, sdxl, or an import of them")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the training's folder")
    parser.add_argument("--start", type=Path, metavar="FILE", help="an adapter whose weights it begins with")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="a plan in JSON; options below go first")
    for name in ("steps", "rank", "batch-size", "seed"):
        parser.add_argument(f"--{name}", type=int, metavar="N")
    parser.add_argument("--learning-rate", type=float, metavar="R")
    parser.add_argument("--optimizer", choices=("adamw", "prodigy"))
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), help="default: bf16 on a GPU, else fp32")
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1 (default: CUDA when there is some)")
    parser.add_argument("--threads", type=int, metavar="N", default=os.cpu_count() or 1, help="CPU threads")
    parser.set_defaults(handler=_train)


def _add_inspect(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser("inspect", help="what an adapter file is, as JSON", description="Judge a LoRA file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--family", help="the base it must fit (default: any of ours)")
    parser.set_defaults(handler=_inspect)


def _add_export(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        "export", help="write an adapter in kohya's key layout", description="Write an adapter in kohya's key layout."
    )
    parser.add_argument(
        "file", type=Path, help="an adapter in diffusers' layout, such as step-000400/adapter.safetensors"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FILE")
    parser.set_defaults(handler=_export)


def _train(args: argparse.Namespace) -> int:
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # before torch is imported: most libraries read it once
    from studio.dataset.folders import read_folder
    from studio.diffusion.machine import pick_device
    from studio.diffusion.parts import from_located
    from studio.lora.training import train
    from studio.weights.store import locate

    dataset = read_folder(args.data)
    device = pick_device(args.device)
    plan = _plan(args, dataset, gpu=device.type == "cuda")
    files = from_located(locate(args.family))
    with _Stop() as stop:
        trained = train(
            files, dataset, plan, out=args.out, start=args.start, callbacks=_callbacks(stop), device=str(device),
            threads=args.threads,
        )  # fmt: skip
    return _told(trained, args.out)


def _plan(args: argparse.Namespace, dataset: DataSet, *, gpu: bool) -> Plan:
    """The file's plan, or a good one for the family, with the options in place of its fields."""
    from studio.lora.plans import plan_for
    from studio.lora.types import Plan

    names = ("steps", "rank", "batch_size", "seed", "learning_rate", "optimizer", "precision")
    chosen = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.plan is None:
        return plan_for(args.family, pictures=len(dataset.trained), trigger=dataset.trigger, gpu=gpu, **chosen)
    try:
        text = args.plan.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError("plan_unreadable", f"There is no plan to read at {args.plan}.") from error
    return Plan.from_json({**json.loads(Plan.from_json(text).to_json()), **chosen, "family": args.family})


def _callbacks(stop: Callable[[], bool]) -> Any:
    from studio.lora.types import Callbacks

    def step(report: StepReport) -> None:
        if report.step % TELL_EVERY == 0 or report.step == report.steps:
            said = f"step {report.step}/{report.steps} loss {report.loss:.4f} smoothed {report.smoothed:.4f}"
            _say(f"{said} rate {report.learning_rate:.2e} {report.seconds:.2f} s {report.memory / 2**20:.0f} MiB")

    def validation(report: ValidationReport) -> None:
        _say(f"step {report.step} validation loss {report.loss:.4f}")

    def sample(report: SampleReport) -> None:
        alike = "" if report.similarity is None else f" similarity {report.similarity:.3f}"
        _say(f"step {report.step} sample {report.file}{alike}")

    def log(code: str, values: Mapping[str, object]) -> None:
        if code != "caching" or values["done"] == values["of"]:
            _say(" ".join([code, *(f"{name}={value}" for name, value in values.items())]))

    return Callbacks(step, validation, sample, lambda one: _say(f"saved {one.folder}"), log, should_cancel=stop)


def _told(trained: Trained, out: Path) -> int:
    if trained.cancelled:
        where = f" {out} holds {trained.steps_done} steps; the same command goes on from there."
        raise Cancelled(f"Stopped as asked.{where if trained.checkpoints else ''}")
    last = trained.checkpoints[-1]
    _say(f"done: {len(trained.checkpoints)} checkpoints, the last is {last.adapter}")
    return 0


class _Stop:
    """True once Ctrl-C or SIGTERM came; while open, the first one lets the training save."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        return self._asked

    def __enter__(self) -> _Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked = True


def _inspect(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from studio.lora.module_table import ARCHITECTURES
    from studio.lora.uploads import check_upload

    if args.family is not None and args.family not in ARCHITECTURES:
        raise InputError("option_invalid", f"--family must be one of {', '.join(ARCHITECTURES)}.")
    print(json.dumps(asdict(check_upload(args.file, family=args.family)), indent=2))
    return 0


def _export(args: argparse.Namespace) -> int:
    from studio.lora.headers import export_kohya

    if not args.file.is_file():
        raise InputError("adapter_missing", f"There is no adapter at {args.file}.")
    export_kohya(args.file, args.to)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
