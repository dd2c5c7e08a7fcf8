"""``python -m studio weights``: list, fetch, verify, import and remove families of weights."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio.errors import InputError, WeightsError
from studio.weights.registry import FAMILIES
from studio.weights.store import is_here, locate, remove, weights_root
from studio.weights.types import Family

_HEADINGS = ("name", "task", "here", "size", "GPU", "sizes", "steps", "guidance", "sampler", "licence", "commercial")


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add ``weights`` and its own sub-commands; each sets ``handler``, a function of the arguments that returns 0."""
    parser = subparsers.add_parser(
        "weights",
        help="list, fetch, verify, import and remove model weights",
        description="Model weights: which there are, which are on this machine, and how they come and go. "
        "They live in $IMODEL_WEIGHTS, or in your data folder. Fetching goes through huggingface_hub: HF_ENDPOINT, "
        "HF_HOME, HF_TOKEN and HTTPS_PROXY are obeyed.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_list(actions)
    _add_fetch(actions)
    _add_verify(actions)
    _add_import(actions)
    _add_remove(actions)


def _add_list(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser("list", help="the table of all families", description="The table of all families.")
    parser.add_argument("--json", action="store_true", help="everything the table knows, as JSON")
    parser.set_defaults(handler=_list)


def _add_fetch(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        "fetch",
        help="download a family, or go on with a download that was broken off",
        description="Download families from the hub. Broken downloads go on where they stopped; every file is held "
        "against its hash, and only a whole family is ever used.",
    )
    hub = [family.name for family in FAMILIES.values() if family.hub]
    parser.add_argument("family", nargs="+", help=f"one or more of: {', '.join(hub)}")
    parser.add_argument("--again", action="store_true", help="fetch even what is already here")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(handler=_fetch)


def _add_verify(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        "verify",
        help="read every byte again and compare hashes",
        description="Read every byte of the families again and hold it against the hashes.",
    )
    parser.add_argument("family", nargs="*", help="families to verify; all that are here when none is given")
    parser.set_defaults(handler=_verify)


def _add_import(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        "import",
        help="take in your own weights",
        description="Take in your own weights under a family's name: a folder in diffusers layout, a single-file "
        "safetensors checkpoint, or a SAM .pth. Pickles (.bin, .ckpt, .pt) are refused.",
    )
    parser.add_argument("family", help=f"one of: {', '.join(FAMILIES)}")
    parser.add_argument("path", type=Path, help="the folder or file")
    parser.add_argument(
        "--part",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a part from elsewhere, such as controlnet=FOLDER; parts given nowhere are kept from what is installed",
    )
    parser.set_defaults(handler=_import)


def _add_remove(actions: argparse._SubParsersAction[Any]) -> None:
    parser = actions.add_parser(
        "remove",
        help="delete a family, and what a broken download left of it",
        description="Delete families from this machine, with whatever a broken download left of them.",
    )
    parser.add_argument("family", nargs="+", help="families to delete")
    parser.set_defaults(handler=_remove)


def _list(args: argparse.Namespace) -> int:
    if args.json:
        print(json.dumps({"folder": str(weights_root()), "families": _as_json()}, indent=2))
        return 0
    _print_table([_HEADINGS, *(_row(family) for family in FAMILIES.values())])
    print(f"\nWeights folder: {weights_root()}")
    for family in FAMILIES.values():
        notes = [text for text in (family.note, family.licence.note) if text]
        print(f"{family.name}: {family.title}." + "".join(f" {note}" for note in notes))
    return 0


def _row(family: Family) -> tuple[str, ...]:
    defaults = family.defaults
    return (
        family.name,
        "+".join(family.tasks),
        _state(family),
        readable_bytes(family.size),
        f"{family.least_gpu_gb:g} GB" if family.least_gpu_gb else "none",
        " ".join(f"{width}x{height}" for width, height in family.native_sizes),
        str(defaults.steps) if defaults else "-",
        f"{defaults.guidance:g}" if defaults else "-",
        defaults.sampler if defaults else "-",
        family.licence.name,
        "yes" if family.licence.commercial else "no",
    )


def _state(family: Family) -> str:
    try:
        return locate(family.name).origin
    except WeightsError as error:
        return "damaged" if error.code == "weights_damaged" else "no"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _as_json() -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [asdict(family) | {"state": _state(family)} for family in FAMILIES.values()]


def _fetch(args: argparse.Namespace) -> int:
    from studio.weights.fetch import fetch

    for name in args.family:
        located = fetch(name, progress=not args.quiet, again=args.again)
        print(f"{name}: here, in {located.root}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from studio.weights.verify import verify

    names = args.family or [name for name, family in FAMILIES.items() if _state(family) != "no"]
    damaged = []
    for name in names:
        try:
            print(f"{name}: {readable_bytes(verify(name))} read, all as recorded")
        except WeightsError as error:
            # Go on, so that one run tells about every family; the first error decides the exit status.
            print(f"{name}: {error.message}", file=sys.stderr)
            damaged.append(error)
    if damaged:
        raise damaged[0]
    return 0


def _import(args: argparse.Namespace) -> int:
    from studio.weights.importing import import_weights

    imported = import_weights(args.family, args.path, parts=dict(map(_part, args.part)))
    if imported.skipped:
        print(f"Left behind: {', '.join(imported.skipped)}")
    print(f"{args.family}: here, in {imported.located.root}")
    return 0


def _part(text: str) -> tuple[str, Path]:
    name, mark, path = text.partition("=")
    if not (name and mark and path):
        raise InputError("unknown_part", f"--part wants NAME=PATH, such as controlnet=/models/openpose, not {text!r}.")
    return name, Path(path)


def _remove(args: argparse.Namespace) -> int:
    for name in args.family:
        freed = remove(name)
        after = ", the bundled version is used again" if is_here(name) else ""
        print(f"{name}: removed, {readable_bytes(freed)} freed{after}")
    return 0


def readable_bytes(count: int) -> str:
    """Bytes as a person reads them: ``"375 MB"``, ``"2.9 GB"``."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            value = count / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"
