"""``python -m studio dataset``: look at a folder of garment photos, and make a training set of it (docs/dataset.md)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.dataset.types import check_trigger
from studio.errors import InputError

if TYPE_CHECKING:
    from studio.dataset.preflight import Preflight
    from studio.dataset.records import Inspection

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
MASK_ENDINGS = (".mask.png", "-mask.png", "_mask.png")
LANGUAGES = {"mini": "mini"}


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add ``dataset`` with its actions."""
    parser = subparsers.add_parser(
        "dataset",
        help="look at garment photos before a training, and make a set of them",
        description="Look at a folder of photos of one garment, say what is wrong with each and what to do about it, "
        "and write a training set in kohya's layout. NAME.mask.png beside NAME.jpg is that photo's garment, white.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    inspect = actions.add_parser("inspect", help="every problem with its remedy, views, captions, buckets")
    _add_common(inspect)
    inspect.add_argument("--json", action="store_true", help="everything, as JSON")
    inspect.set_defaults(handler=_inspect)
    export = actions.add_parser("export", help="write the set: pictures, captions, masks, in kohya's layout")
    _add_common(export)
    export.add_argument("out", type=Path, help="a new folder, or a new file that ends in .zip")
    export.add_argument("--leave-out", default="", metavar="NAMES", help="photos to leave out, by name, between commas")
    export.add_argument("--take-crops", action="store_true", help="photos of several people as the proposed crops")
    export.set_defaults(handler=_export)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="photos of one garment")
    parser.add_argument("--category", required=True, help="what it is: coat, dress, t-shirt, trousers ...")
    parser.add_argument("--trigger", required=True, help="the word that will mean it, such as zkv17")
    parser.add_argument("--family", default="mini", help="what will be trained: mini, sd15 or sdxl (default: mini)")
    parser.add_argument("--steps", type=int, help="optimiser steps (default: the family's own)")
    parser.add_argument("--seconds-per-step", type=float, help="as measured on the machine that will train")
    parser.add_argument(
        "--colour", default="", help="the catalog's word for it; looked for in the photos when not given"
    )
    parser.add_argument(
        "--details", action="store_true", help="captions say colour, pattern and cut too, and prompts then must as well"
    )
    parser.add_argument("--wearer", default="", choices=["", "woman", "man"], help="who wears it, for the captions")


def _inspect(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from studio.dataset.records import to_json

    names, found, plan = _looked_at(args, _photos(args.folder))
    if args.json:
        told = {"photos": names, "inspection": to_json(found), "preflight": asdict(plan)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _print_pictures(names, found, plan)
        _print_problems(names, plan)
    return 0


def _export(args: argparse.Namespace) -> int:
    import tempfile

    _check_out(args)
    photos = _photos(args.folder)
    _check_left_out(args, photos)
    with tempfile.TemporaryDirectory(prefix="imodel-dataset-") as scratch:
        if args.take_crops:
            photos = _with_crops(args, photos, Path(scratch))
        names, found, plan = _looked_at(args, photos)
        count = _write(args, photos, found, plan, Path(scratch))
    _print_problems(names, plan)
    print(f"\n{count} pictures of {args.trigger} are in {args.out}, {len(plan.held_out)} of them held out.")
    return 0


def _photos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError("dataset_folder_missing", f"There is no folder {folder}. Check the path.")
    found = [
        path for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURES and not path.name.lower().endswith(MASK_ENDINGS) and path.is_file()
    ]  # fmt: skip
    if not found:
        raise InputError("dataset_empty", f"{folder} holds no photo ({', '.join(PICTURES)}).")
    return found


def _mask_of(photo: Path) -> Path | None:
    beside = (photo.with_name(photo.stem + ending) for ending in MASK_ENDINGS)
    return next((path for path in beside if path.is_file()), None)


@contextmanager
def _tools() -> Iterator[Any]:
    from studio.dataset.captioner import bring_up
    from studio.dataset.inspecting import Tools
    from studio.dataset.people import MediaPipeFaces
    from studio.pose.detect import MediaPipeDetector

    with MediaPipeDetector() as detector, MediaPipeFaces() as faces:
        yield Tools(detector, faces, bring_up())


def _looked_at(args: argparse.Namespace, photos: list[Path]) -> tuple[list[str], Inspection, Preflight]:
    from studio.dataset.inspecting import Photo, inspect_set
    from studio.dataset.preflight import preflight
    from studio.dataset.records import Garment
    from studio.lora.plans import plan_for

    training = plan_for(args.family, pictures=len(photos), trigger=check_trigger(args.trigger))
    encoder = _encoder(args.family)
    garment = Garment(args.category, colour=args.colour, wearer=args.wearer)
    given = [Photo(path, _mask_of(path)) for path in photos]
    names = [path.name for path in photos]
    with _tools() as tools:
        found = inspect_set(
            given, garment, trigger=args.trigger, language=_language(args.family), tools=tools,
            details=args.details,
            on_photo=lambda index: print(f"looking at {names[index]}", file=sys.stderr),
        )  # fmt: skip
    left_out = [i for i, name in enumerate(names) if name in getattr(args, "leave_out", "").split(",")]
    left_out += [one.index for one in found.refused if hasattr(args, "leave_out")]
    plan = preflight(
        found, base=(training.width, training.height), step=training.bucket_step,
        steps=training.steps if args.steps is None else args.steps, batch=training.batch_size,
        seconds_per_step=args.seconds_per_step, left_out=left_out, encoder=encoder,
    )  # fmt: skip
    return names, found, plan


def _language(family: str) -> Any:
    return LANGUAGES.get(family, "english")


def _encoder(family: str) -> Any:
    """What the family's text encoder makes of words; None where its files are not here."""
    from studio.dataset.encoders import words_of
    from studio.errors import WeightsError
    from studio.weights.store import locate

    try:
        return words_of(locate(family).components["tokenizer"])
    except WeightsError as error:
        if error.code != "weights_missing":
            raise
        return None


def _check_out(args: argparse.Namespace) -> None:
    if args.out.exists() and (args.out.is_file() or any(args.out.iterdir())):
        raise InputError("dataset_folder_taken", f"{args.out} is there already. Choose a new name.")


def _check_left_out(args: argparse.Namespace, photos: list[Path]) -> None:
    unknown = {name for name in args.leave_out.split(",") if name} - {path.name for path in photos}
    if unknown:
        raise InputError("picture_index_invalid", f"There is no photo named {', '.join(sorted(unknown))} to leave out.")


def _with_crops(args: argparse.Namespace, photos: list[Path], scratch: Path) -> list[Path]:
    """The photos, those of several people replaced by the crops that show the garment."""
    from studio.images import open_photo

    _, found, _ = _looked_at(args, photos)
    several = {one.index: [crop for crop in one.crops if crop.wanted] for one in found.pictures if one.people > 1}
    taken: list[Path] = []
    for index, photo in enumerate(photos):
        if not several.get(index):
            taken.append(photo)
            continue
        for number, crop in enumerate(several[index], 1):
            path = scratch / f"{photo.stem}-person-{number}.png"
            open_photo(photo).crop(crop.box).save(path)
            taken.append(path)
    return taken


def _write(args: argparse.Namespace, photos: list[Path], found: Inspection, plan: Preflight, scratch: Path) -> int:
    from studio.dataset.archives import pack
    from studio.dataset.captions import class_word
    from studio.dataset.folders import write_folder
    from studio.dataset.types import DataSet, Entry

    seen = {one.index: one for one in found.pictures}
    entries = []
    for one in plan.entries:
        picture, mask = seen[one.index], None
        if picture.mask is not None:
            mask = scratch / f"{one.index}.mask.png"
            mask.write_bytes(picture.mask)
        entries.append(Entry(photos[one.index], mask, one.caption, one.view, one.repeats, picture.flip,
                             held_out=one.held_out))  # fmt: skip
    if not entries:
        raise InputError("dataset_empty", "No photo is left to write.")
    dataset = DataSet(args.trigger, tuple(entries), class_word(args.category, _language(args.family)))
    if args.out.suffix.lower() != ".zip":
        write_folder(dataset, args.out)
    else:
        write_folder(dataset, scratch / "set")
        pack(scratch / "set", args.out)
    return len(entries)


def _print_pictures(names: list[str], found: Inspection, plan: Preflight) -> None:
    planned = {one.index: one for one in plan.entries}
    for picture in found.pictures:
        entry = planned[picture.index]
        mask = {"merchant": "mask given", "proposal": "mask proposed", "": "no mask"}[picture.mask_by]
        held = ", held out" if entry.held_out else f", {entry.repeats} x"
        size = f"{picture.size[0]} x {picture.size[1]} in {entry.width} x {entry.height}"
        print(f"{names[picture.index]}: {size}, {picture.view}, {mask}{held}\n    {picture.caption}")
        for crop in picture.crops:
            print(
                f"    crop {','.join(map(str, crop.box))}: {'shows the garment' if crop.wanted else 'another garment'}"
            )
    covered = ", ".join(f"{view} {count}" for view, count in plan.coverage.items())
    took = "" if plan.seconds is None else f", about {max(1, round(plan.seconds / 60))} minutes"
    print(f"\nViews: {covered}. {plan.steps} steps, each picture about {plan.passes:g} times{took}.")


def _print_problems(names: list[str], plan: Preflight) -> None:
    for problem in plan.problems:
        where = ", ".join(names[i] for i in problem.pictures)
        print(f"{problem.severity:4} {problem.code}: {where + ': ' if where else ''}{problem.message} {problem.remedy}")
    print("It may start." if plan.may_start else "It may not start yet.")
