"""``python -m studio shoot``: a garment photo in, a model photo out, with its report, recipe and a sheet to judge it
by.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import InputError
from studio.pose.library import POSES
from studio.shoot.presets import CROP_WORDS, OUTFITS, PERSONAS, SCENES, Kind

if TYPE_CHECKING:
    from PIL import Image

    from studio.provenance import Format
    from studio.shoot.types import Listener, Order, Outcome, Shot

_FORMATS: dict[str, Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}

_ABOUT = """A garment photo in, a model photo out. The photo alone is enough: everything else has a default.

kinds of shoot
  model    the garment stays, pixel for pixel; wearer, pose and scene are made new (default)
  scene    wearer and garment stay; the scene is made new
  pose     head and garment stay; arms, legs and scene are made new in another pose
  outfit   the wearer stays; the garment is painted new from --outfit or --adapter
  text     no photo: a picture from persona, outfit, pose and scene"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add ``shoot``; its ``handler`` writes the pictures and returns 0."""
    parser = subparsers.add_parser(
        "shoot",
        help="garment photo in, model photo out",
        description=_ABOUT,
        epilog=_names(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "photo",
        nargs="?",
        type=Path,
        help="JPEG, PNG or WebP of a garment on a mannequin or a person (not for the text kind)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out.png"),
        help="the picture to write; report and sheet go beside it (default: out.png)",
    )
    _add_choices(parser)
    _add_engine(parser)
    parser.set_defaults(handler=_handle)


def _add_choices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to shoot")
    group.add_argument(
        "--kind", choices=[k.value for k in Kind], default="model", help="kind of shoot (default: model)"
    )
    group.add_argument("--persona", metavar="NAME", default="amelie", help="who wears it (default: amelie)")
    group.add_argument("--scene", metavar="NAME", default="white-studio", help="where (default: white-studio)")
    group.add_argument(
        "--pose", metavar="NAME", default="as-photographed", help="how the model stands (default: as-photographed)"
    )
    group.add_argument(
        "--crop", metavar="NAME", default="head-to-toe", help="how much of the body (default: head-to-toe)"
    )
    group.add_argument(
        "--garment",
        choices=["auto", "upper", "lower", "full"],
        default="auto",
        help="which garment of the photo (default: auto)",
    )
    group.add_argument(
        "--mask", type=Path, metavar="PNG", help="your own garment mask, white = garment, of the photo's size"
    )
    group.add_argument(
        "--outfit", metavar="NAME", default="red-dress", help="for outfit and text: a name below, or words of your own"
    )
    group.add_argument("--count", type=int, default=1, metavar="N", help="pictures to deliver, 1 to 8 (default: 1)")
    group.add_argument(
        "--best-of", type=int, default=1, metavar="N", help="candidates for each, the report picks (default: 1)"
    )
    group.add_argument(
        "--size", default="512x768", metavar="WxH", help="of the delivered picture, 2:3 (default: 512x768)"
    )
    group.add_argument(
        "--replay", type=Path, metavar="JSON", help="make the picture of this recipe again, byte for byte"
    )


def _add_engine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("engine (expert)")
    group.add_argument(
        "--engine",
        metavar="FAMILY",
        default="mini",
        help="weights to use, see `python -m studio weights list` (default: mini)",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="0 to 4294967295; the same seed gives the same picture (default: 0)",
    )
    group.add_argument("--steps", type=int, metavar="N", help="denoising steps (default: the family's)")
    group.add_argument("--guidance", type=float, metavar="X", help="guidance scale (default: the family's)")
    group.add_argument("--sampler", metavar="NAME", help="sampler by AUTOMATIC1111's name (default: the family's)")
    group.add_argument(
        "--adapter",
        action="append",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="a LoRA in safetensors; may be given again; a replay takes the weights of its recipe",
    )
    group.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1 (default: CUDA when there is some)")
    group.add_argument("--quiet", action="store_true", help="no progress")


def _names() -> str:
    rows = (
        ("personas", ", ".join(PERSONAS)),
        ("scenes", ", ".join(SCENES)),
        ("poses", "as-photographed, " + ", ".join(POSES)),
        ("crops", ", ".join(CROP_WORDS)),
        ("outfits", ", ".join(OUTFITS)),
    )
    return "names\n" + "\n".join(f"  {title:9} {names}" for title, names in rows)


def _handle(args: argparse.Namespace) -> int:
    from studio.images import open_photo
    from studio.shoot.flow import check, replay, shoot
    from studio.shoot.recipe import family_of, read
    from studio.shoot.run import bring_up

    _format(args.out)
    photo = open_photo(args.photo) if args.photo else None
    recipe = read(args.replay) if args.replay else None
    order = _order(args, photo)
    if recipe is None:
        check(order)
    family = order.engine if recipe is None else family_of(recipe)
    listener, finish = _listener(quiet=args.quiet)
    try:
        with bring_up(family, device=args.device) as crew:
            if recipe is not None:
                outcome = replay(
                    recipe,
                    photo=photo,
                    engine=crew.engine,
                    detector=crew.detector,
                    weights=crew.weights,
                    adapters=[path for path, _ in order.adapters],
                )
            else:
                outcome = shoot(
                    order, engine=crew.engine, detector=crew.detector, weights=crew.weights, listener=listener
                )
    finally:
        finish()
    _write(args.out, outcome)
    _tell(args.out, outcome, family, quiet=args.quiet)
    return 0


def _order(args: argparse.Namespace, photo: Image.Image | None) -> Order:
    from studio.images import open_mask
    from studio.shoot.types import Order

    mask = open_mask(args.mask, size=photo.size) if args.mask and photo else None
    return Order(
        kind=Kind(args.kind),
        photo=photo,
        mask=mask,
        garment=args.garment,
        persona=args.persona,
        scene=args.scene,
        pose=args.pose,
        crop=args.crop,
        outfit=args.outfit,
        count=args.count,
        best_of=args.best_of,
        seed=args.seed,
        size=_size(args.size),
        engine=args.engine,
        steps=args.steps,
        guidance_scale=args.guidance,
        sampler=args.sampler,
        adapters=tuple(_adapter(text) for text in args.adapter),
    )


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise InputError("size_unreadable", f"{text!r} is not a size; write it like 512x768.")
    return int(width), int(height)


def _adapter(text: str) -> tuple[Path, float]:
    path, colon, weight = text.rpartition(":")
    if not colon:
        return Path(text), 1.0
    try:
        return Path(path), float(weight)
    except ValueError:
        return Path(text), 1.0


def _format(out: Path) -> Format:
    if out.suffix.lower() not in _FORMATS:
        raise InputError(
            "format_unknown", f"{out.name} names no format that is written here: end it in .png, .jpg or .webp."
        )
    return _FORMATS[out.suffix.lower()]


def _listener(*, quiet: bool) -> tuple[Listener, Any]:
    """A progress bar on stderr when it is a terminal, plain lines otherwise."""
    from studio.shoot.types import Listener

    if quiet:
        return Listener(), lambda: None
    live, last = sys.stderr.isatty(), [""]

    def show(stage: str, fraction: float) -> None:
        filled = round(28 * fraction)
        if live:
            sys.stderr.write(f"\r{'#' * filled}{'.' * (28 - filled)} {fraction:4.0%} {stage:14}")
        elif stage != last[0]:
            sys.stderr.write(f"{fraction:4.0%} {stage}\n")
        last[0] = stage
        sys.stderr.flush()

    show("weights", 0.0)
    return Listener(on_progress=show), lambda: sys.stderr.write("\n") if live else None


@dataclass(frozen=True)
class Names:
    """Where one picture and its papers go."""

    picture: Path
    paper: Path


def names(out: Path, index: int) -> Names:
    """``out.png``, ``out-2.png``, ... and the JSON beside each."""
    stem = out.stem if index == 0 else f"{out.stem}-{index + 1}"
    return Names(out.with_name(stem + out.suffix), out.with_name(stem + ".json"))


def _write(out: Path, outcome: Outcome) -> None:
    """All files of the shoot, or none of them."""
    from studio.files import write_all
    from studio.shoot.finish import finished
    from studio.shoot.sheet import contact_sheet

    files: dict[Any, Any] = {}
    for index, shot in enumerate(outcome.shots):
        own = names(out, index)
        files[own.picture] = finished(shot, _format(out), kept=bool(outcome.table.locked.any()))
        files[own.paper] = papers(shot)
    sheet = io.BytesIO()
    contact_sheet(outcome).save(sheet, "PNG")
    files[out.with_name(f"{out.stem}-sheet.png")] = sheet.getvalue()
    write_all(files)


def papers(shot: Shot) -> bytes:
    """``recipe`` and ``report`` as JSON; equal shots give equal bytes."""
    text = json.dumps(
        {"recipe": shot.recipe, "report": shot.report.to_json()}, indent=2, sort_keys=True, ensure_ascii=False
    )
    return (text + "\n").encode()


def _tell(out: Path, outcome: Outcome, family: str, *, quiet: bool) -> None:
    for index, shot in enumerate(outcome.shots):
        report = shot.report.to_json()
        sys.stdout.write(f"{names(out, index).picture}: {report['verdict']}\n")
        reasons: Any = report["reasons"]
        for reason in reasons:
            sys.stdout.write(f"  - {reason['message']}\n")
    if family == "mini" and not quiet:
        sys.stdout.write("Made with mini, the bundled preview engine: fetch sd15 or sdxl for pictures to publish.\n")
