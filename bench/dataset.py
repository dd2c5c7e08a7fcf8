"""How often the inspection of a training set is right, on drawn pictures whose truth is known and on two real photos.

    python -m bench.dataset [--count 60] [--first 40] [--only people,facts,duplicates,blur,strangers,hidden,time]

Thresholds were set on other seeds (under 30, 1000 to 1099, 3000, 4000, 500 to 511) than those measured here.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from PIL import Image

from bench import dataset_scenes as scenes
from studio.dataset import facts, hidden, naming, people, quality, views
from studio.dataset.records import BLURRED_BELOW, STRANGE_BELOW, STRANGE_BELOW_PROPOSED
from studio.dataset.strangers import likenesses
from studio.lora.similarity import Look, look
from studio.mini.world import Drawing, Spec
from studio.mini.world.spec import COLOURS
from studio.pose.detect import MediaPipeDetector
from studio.pose.library import POSES
from studio.segmentation.proposals import Part, propose


def main() -> None:
    """Measure what is asked and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--first", type=int, default=40)
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.count)
    with MediaPipeDetector() as detector, people.MediaPipeFaces() as faces:
        for name in options.only.split(","):
            print(f"\n== {name}")
            PARTS[name](seeds, detector, faces)


def _people(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    counted: Counter[tuple[str, int]] = Counter()
    cropped: Counter[str] = Counter()
    for seed in seeds:
        pair = scenes.pair(seed)
        found = people.find_people(pair.picture, detector, faces)
        counted["two, one of them a mannequin" if pair.mannequin else "two people", len(found)] += 1
        if len(found) == 2 and not pair.mannequin:
            cropped["both crops hold one garment" if _parted(pair, found) else "not both"] += 1
        spec, drawing = scenes.single(seed)
        kind = "one mannequin" if spec.person.mannequin else "one person"
        counted[kind, len(people.find_people(drawing.picture, detector, faces))] += 1
    for (kind, count), times in sorted(counted.items()):
        print(f"{kind:32} counted {count}: {times}")
    print(dict(cropped))
    for name, picture, wanted in _real():
        print(f"{name:32} is {wanted}, counted {len(people.find_people(picture, detector, faces))}")


def _parted(pair: scenes.Pair, found: tuple[people.Person, ...]) -> bool:
    """Each crop holds nine tenths of one garment and under a twelfth of the other person."""
    held = set()
    for crop in people.crops_of(found, pair.picture.size):
        cut = (slice(crop.box[1], crop.box[3]), slice(crop.box[0], crop.box[2]))
        shares = [float(mask[cut].sum() / mask.sum()) for mask in pair.garments]
        whose = int(np.argmax(shares))
        other = pair.people[1 - whose]
        if shares[whose] > 0.9 and other[cut].sum() < other.sum() / 12:
            held.add(whose)
    return held == {0, 1}


def _real() -> Iterable[tuple[str, Image.Image, int]]:
    astronaut, officer = scenes.astronaut(), scenes.officer()
    yield "astronaut", astronaut, 1
    yield "officer", officer, 1
    for gap in (0, 60):
        yield f"astronaut | officer, {gap} px", scenes.side_by_side(astronaut, officer, gap=gap), 2
        yield f"officer | astronaut, {gap} px", scenes.side_by_side(officer, astronaut, gap=gap), 2
    yield (
        "officer | officer mirrored",
        scenes.side_by_side(officer, officer.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        2,
    )
    yield "astronaut | officer | astronaut", scenes.side_by_side(scenes.side_by_side(astronaut, officer), astronaut), 3


def _facts(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    right: dict[str, list[bool]] = {}
    views_seen: Counter[tuple[str, str]] = Counter()
    patterns: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        spec, drawing = scenes.single(seed)
        for name, outcome in _of_one(spec, drawing, detector, faces, views_seen, patterns):
            right.setdefault(name, []).append(outcome)
    for name, outcomes in right.items():
        print(f"{name:28} {sum(outcomes)} of {len(outcomes)}")
    print("view said of each view:", dict(sorted(views_seen.items())))
    print("pattern confused:", {pair: n for pair, n in sorted(patterns.items()) if pair[0] != pair[1]})


def _of_one(
    spec: Spec, drawing: Drawing, detector: MediaPipeDetector, faces: people.MediaPipeFaces,
    seen: Counter[tuple[str, str]], patterns: Counter[tuple[str, str]],
) -> Iterable[tuple[str, bool]]:  # fmt: skip
    picture, person = drawing.picture, drawing.masks["person"]
    yield "scene", facts.scene_words(picture, person, language="mini") == spec.scene
    for name, garment in (("upper", spec.upper), ("lower", spec.lower), ("full", spec.full)):
        if garment is None or name not in drawing.masks or drawing.masks[name].sum() < 1500:
            continue
        cloth = naming.cloth_of(picture, drawing.masks[name])
        if cloth is not None:
            patterns[garment.pattern, cloth.pattern] += 1
            yield "pattern", cloth.pattern == garment.pattern
            plain = garment.pattern == "plain"
            yield (
                "colour of a plain one" if plain else "either colour of a pattern",
                (cloth.colour == garment.colour if plain else cloth.colour in (garment.colour, garment.second)),
            )
    found = people.find_people(picture, detector, faces)
    main = next((one for one in found if one.pose is not None), None)
    if main is None or main.pose is None:
        yield "pose found", False
        return
    yield "pose found", True
    stance = views.stance_of(main.pose, main.mask, face=people.face_seen(main, np.asarray(picture), faces))
    truth = {"side view": "side", "back view": "back"}.get(spec.view_words, "front")
    kind = "mannequin, " if spec.person.mannequin else ""
    seen[kind + truth, stance.view] += 1
    yield f"{kind}view, where it is sure", stance.view in ("unsure", truth)
    yield "headless or not", stance.headless == spec.person.mannequin
    yield "crop", stance.crop == {"head-to-toe": "full", "knee-up": "knee", "waist-up": "waist"}[spec.crop]
    yield "pose's words", stance.pose == spec.pose_words
    yield from _of_the_garment(spec, drawing, main)
    if not stance.headless and not spec.person.mannequin:
        words = facts.wearer_words(picture, main.pose, person, drawing.garment, headless=False)
        if words:
            yield "skin", f"{spec.person.skin} skin" in words
            yield "hair's colour", spec.person.hair_colour in words or spec.person.hair == "shaved"


def _of_the_garment(spec: Spec, drawing: Drawing, main: people.Person) -> Iterable[tuple[str, bool]]:
    main_garment = spec.full or spec.upper
    if main_garment is not None:
        sleeve = main_garment.sleeve if main_garment.category in ("t-shirt", "dress") else "long"
        yield "sleeve", facts.sleeve_of(drawing.garment, main.pose) == sleeve
    for name, garment in (("lower", spec.lower), ("full", spec.full)):
        if garment is not None and garment.category in ("dress", "skirt") and name in drawing.masks:
            yield "length", facts.length_of(drawing.masks[name], main.pose) in (garment.length, "")


def _duplicates(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    said: dict[str, list[bool]] = {}
    names = list(POSES)
    for seed in list(seeds)[:30]:
        garment = scenes.some_garment(seed)
        first = scenes.worn(garment, seed, names[seed % len(names)])
        own = quality.print_of(first.picture)
        for name, other in scenes.again(first.picture).items():
            said.setdefault(f"same, {name}", []).append(quality.alike(own, quality.print_of(other)))
        other_pose = scenes.worn(garment, seed, names[(seed + 7) % len(names)])
        other_garment = scenes.worn(scenes.some_garment(seed + 1000), seed, names[seed % len(names)])
        front, back = scenes.worn(garment, seed, "front"), scenes.worn(garment, seed, "back")
        for name, one, two in (
            ("other pose", first, other_pose),
            ("other garment", first, other_garment),
            ("front and back", front, back),
        ):
            said.setdefault(f"not same, {name}", []).append(
                quality.alike(quality.print_of(one.picture), quality.print_of(two.picture))
            )
    for name, outcomes in said.items():
        print(f"{name:28} called near duplicates: {sum(outcomes)} of {len(outcomes)}")


def _blur(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    ways: dict[str, Callable[[Image.Image], Image.Image]] = {
        "sharp": lambda p: p, "JPEG 40": lambda p: scenes.again(p)["jpeg 40"],
        "out of focus, 1 px": lambda p: scenes.blurred(p, 1), "out of focus, 2 px": lambda p: scenes.blurred(p, 2),
        "out of focus, 3 px": lambda p: scenes.blurred(p, 3), "shaken, 11 px": lambda p: scenes.moved(p, 11),
        "shaken, 17 px": lambda p: scenes.moved(p, 17),
    }  # fmt: skip
    drawn = [scenes.worn(scenes.some_garment(s), s, "front", size=(512, 768)) for s in list(seeds)[:30]]
    shown = [(one.picture, one.masks["person"]) for one in drawn]
    for name, way in ways.items():
        values = [quality.sharpness(way(picture), mask) for picture, mask in shown]
        real = [quality.sharpness(way(photo), None) for photo in (scenes.astronaut(), scenes.officer())]
        below = sum(value < BLURRED_BELOW for value in values)
        print(f"{name:20} called blurred {below} of {len(values)}; real photos {', '.join(f'{v:.2f}' for v in real)}")


def _strangers(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    for proposed, least in ((False, STRANGE_BELOW), (True, STRANGE_BELOW_PROPOSED)):
        said: dict[str, list[bool]] = {}
        for seed in list(seeds)[: 8 if proposed else 30]:
            for name, outcome in _one_set(seed, proposed, least, detector):
                said.setdefault(name, []).append(outcome)
        for name, outcomes in said.items():
            masks = "proposed" if proposed else "exact"
            print(f"{masks:9} masks, {name:20} called strange: {sum(outcomes)} of {len(outcomes)}")


def _one_set(seed: int, proposed: bool, least: float, detector: MediaPipeDetector) -> Iterable[tuple[str, bool]]:
    garment, rng = scenes.some_garment(seed), np.random.default_rng(seed + 9)
    colours = [name for name in COLOURS if name not in (garment.colour, garment.second)]
    patterns = [name for name in ("plain", "striped", "checked", "dotted") if name != garment.pattern]
    strangers = {
        "another garment": scenes.some_garment(seed + 1000),
        "another colour": replace(garment, colour=str(rng.choice(colours))),
        "another pattern": replace(garment, pattern=str(rng.choice(patterns))),
    }
    own = [_look(one, proposed, detector, garment.category) for one in scenes.photos(garment, seed)]
    for name, other in strangers.items():
        stranger = _look(scenes.worn(other, seed + 5000, "front", wearer=seed), proposed, detector, other.category)
        values = likenesses([*own, stranger])
        yield name, values[-1] is not None and values[-1] < least
        yield from (("its own", value is not None and value < least) for value in values[:-1])


def _look(drawing: Drawing, proposed: bool, detector: MediaPipeDetector, category: str) -> Look | None:
    if not proposed:
        return look(drawing.picture, drawing.garment)
    found = detector.detect(drawing.picture)
    part = Part.FULL if category == "dress" else Part.UPPER
    seen = propose(
        drawing.picture, pose=found.pose if found else None, person_mask=found.person_mask if found else None
    )
    mask = seen[part].mask if part in seen else seen.best().mask
    return look(drawing.picture, mask)


def _hidden(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    said: dict[str, list[bool]] = {}
    for seed in list(seeds)[:40]:
        drawing = scenes.worn(scenes.some_garment(seed), seed, ("front", "contrapposto", "walking")[seed % 3])
        found = detector.detect(drawing.picture)
        if found is None:
            continue
        part = "full" if "full" in drawing.masks else "upper"
        for name, mask, pose in _worse(drawing, found.pose):
            shown = hidden.showing(mask, pose, part=part)
            bad = shown.is_cut if name.startswith("cut") else shown.is_covered
            said.setdefault(name, []).append(bad)
    for name, outcomes in said.items():
        print(f"{name:34} said so: {sum(outcomes)} of {len(outcomes)}")


def _worse(drawing: Drawing, pose: people.Pose) -> Iterable[tuple[str, np.ndarray, people.Pose]]:
    """The garment as it is, with a bag before a third and two thirds of it, and cut by the frame."""
    mask = drawing.garment
    left, top, right, bottom = people.box_of(mask)
    yield "covered: nothing before it", mask, pose
    for share in (0.33, 0.66):
        bag = mask.copy()
        bag[top + (bottom - top) // 6 : top + (bottom - top) // 6 + int(share * (bottom - top))] = False
        yield f"covered: {share:.0%} of its height", bag, pose
    yield "cut: nothing", mask, pose
    edge = (left + right) // 2
    yield "cut: the left half", mask[:, edge:], pose.moved(-edge, 0, size=(mask.shape[1] - edge, mask.shape[0]))


def _time(seeds: Iterable[int], detector: MediaPipeDetector, faces: people.MediaPipeFaces) -> None:
    import io

    from studio.dataset.inspecting import Garment, Photo, Tools, inspect_set

    files = []
    for drawing in scenes.photos(scenes.some_garment(3), 3):
        buffer = io.BytesIO()
        drawing.picture.resize((512, 768)).save(buffer, "PNG")
        files.append(buffer.getvalue())
    start = time.perf_counter()
    inspect_set(
        [Photo(data) for data in files], Garment("top"), trigger="zkv17", language="mini", tools=Tools(detector, faces)
    )
    print(f"{(time.perf_counter() - start) / len(files):.2f} s a photo of 512 x 768, in a set of {len(files)}")


PARTS: dict[str, Callable[[Iterable[int], MediaPipeDetector, people.MediaPipeFaces], None]] = {
    "people": _people, "facts": _facts, "duplicates": _duplicates, "blur": _blur, "strangers": _strangers,
    "hidden": _hidden, "time": _time,
}  # fmt: skip

if __name__ == "__main__":
    main()
