"""The flow of a shoot: photo, pose, mask, table, repaint, composite, report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.diffusion.types import AdapterUse, Control, Engine, Generate, Preview, Progress, Result
from studio.errors import InputError
from studio.fidelity import best_of, measure
from studio.pose.detect import PoseDetector
from studio.pose.openpose import render_skeleton
from studio.shoot import recipe as recipes
from studio.shoot.composite import composite
from studio.shoot.own import LONGEST_WORDS, persona_of, scene_of
from studio.shoot.prepare import AS_PHOTOGRAPHED, blank_table, lay_out, look_at
from studio.shoot.presets import CROP_WORDS, Kind, OwnPose, pick
from studio.shoot.prompts import garment_words, outfit_words, prompt
from studio.shoot.types import Listener, Order, Outcome, Shot, Table

NEGATIVE = "deformed hands, extra limbs, blurry, text, watermark"
MOST = 8
SIDES = (256, 2048)


@dataclass
class Clock:
    """Seconds spent by stage."""

    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - began


def check(order: Order) -> None:
    """Refuse an order that can't be carried out, before anything is computed.

    Raises:
        InputError: ``photo_missing``, ``persona_unknown``, ``scene_unknown``, ``crop_unknown``, ``pose_unknown``,
            ``count_out_of_range``,
            ``size_out_of_range``, ``garment_unknown``, ``pose_needed``, ``worn_invalid``.
    """
    from studio.pose.library import named

    if order.photo is None and order.kind is not Kind.TEXT:
        raise InputError(
            "photo_missing", "This kind of shoot starts from a photo of the garment; give one, or use the text kind."
        )
    persona_of(order.persona)
    scene_of(order.scene)
    pick("crop", CROP_WORDS, order.crop)
    if order.pose == AS_PHOTOGRAPHED and order.kind is Kind.POSE:
        raise InputError("pose_needed", "A pose change needs a pose: choose one of the pose library's names.")
    if not isinstance(order.pose, OwnPose) and order.pose != AS_PHOTOGRAPHED:
        named(order.pose)
    if order.garment not in ("auto", "upper", "lower", "full"):
        raise InputError(
            "garment_unknown", f"There is no garment part {order.garment!r}. Choose one of: auto, upper, lower, full."
        )
    if not (1 <= order.count <= MOST and 1 <= order.best_of <= MOST):
        raise InputError("count_out_of_range", f"Pictures and candidates are counted from 1 to {MOST}.")
    if order.worn is not None and not (0 < len(order.worn.strip()) and len(order.worn) <= LONGEST_WORDS):
        raise InputError("worn_invalid", f"The garment's words are 1 to {LONGEST_WORDS} characters.")
    _check_size(order.size)


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if not (SIDES[0] <= width <= SIDES[1] and SIDES[0] <= height <= SIDES[1]) or abs(width / height - 2 / 3) > 0.01:
        raise InputError(
            "size_out_of_range", f"Pictures are 2:3 and {SIDES[0]} to {SIDES[1]} pixels a side, such as 512x768."
        )


def shoot(
    order: Order,
    *,
    engine: Engine,
    detector: PoseDetector,
    weights: Mapping[str, str],
    listener: Listener | None = None,
) -> Outcome:
    """Carry out an order.

    Args:
        order: checked here.
        engine: a loaded engine; stays resident between shoots.
        detector: finds the pose in the photo and again in the result.
        weights: file name to SHA-256 of the engine's weights, for the recipe.
        listener: progress, previews and cancel.

    Raises:
        InputError: the order or the photo can't be used; the code says why.
        Cancelled: within one step of ``listener.should_cancel``.
        OutOfMemory: the engine freed what it took.
    """
    check(order)
    clock, ears = Clock(), listener or Listener()
    ears.stop_if_asked()
    table, part, worn = _table(order, detector, clock, ears)
    words = prompt(order, worn, part)
    result = _paint(order, table, words, engine, clock, ears)
    shots = []
    for index, picture in enumerate(result.images):
        ears.stop_if_asked()
        ears.say("composite", 0.86 + 0.12 * index / len(result.images))
        with clock.stage("composite"):
            large = picture.resize(order.size, Image.Resampling.LANCZOS)
            image = composite(large, table.source, table.kept, table.locked, photographed=table.photographed)
        with clock.stage("report"):
            report = _measure(order, table, image, detector)
        recipe = recipes.write(
            order, table, prompt=words, negative=NEGATIVE, part=part, result=result, index=index, weights=weights
        )
        shots.append(Shot(image, report, recipe, result.seeds[index]))
    ears.say("done", 1.0)
    return Outcome(_chosen(order, shots), table, clock.spent)


def _table(order: Order, detector: PoseDetector, clock: Clock, ears: Listener) -> tuple[Table, str, str]:
    """The light table, the garment's part, and what is worn in words."""
    if order.photo is None or order.kind is Kind.TEXT:
        return blank_table(order), "outfit", outfit_words(order)
    ears.say("pose and mask", 0.02)
    with clock.stage("pose and mask"):
        seen = look_at(order, order.photo, detector)
    with clock.stage("table"):
        table = lay_out(order, order.photo, seen)
    if order.kind is Kind.OUTFIT:
        return table, seen.part, outfit_words(order)
    return table, seen.part, order.worn or garment_words(order.photo, seen.pieces, seen.pose)


def _paint(order: Order, table: Table, words: str, engine: Engine, clock: Clock, ears: Listener) -> Result:
    """Repaint everything but what is kept, at the engine's own size."""
    defaults = engine.defaults
    inside = (defaults.width, defaults.height)
    control = Control(render_skeleton(table.asked, inside))
    seeds = tuple((order.seed + k) % 2**32 for k in range(order.count * order.best_of))
    size = max(k for k in (1, 2, 4) if len(seeds) % k == 0)
    request = Generate(
        prompt=words,
        negative_prompt=NEGATIVE,
        seed=seeds,
        batch_size=size,
        iterations=len(seeds) // size,
        steps=order.steps,
        guidance_scale=order.guidance_scale,
        sampler=order.sampler,
        width=inside[0],
        height=inside[1],
        image=table.source,
        mask=Image.fromarray((~table.kept).astype(np.uint8) * 255),
        mask_blur=0,
        paste_back=False,
        controls=(control,),
        adapters=tuple(AdapterUse(path, weight) for path, weight in order.adapters),
    )

    def progress(now: Progress) -> None:
        ears.say("painting", 0.15 + 0.7 * now.fraction)

    def preview(now: Preview) -> None:
        if ears.on_preview is not None:
            ears.on_preview(now.images)

    with clock.stage("paint"):
        result = engine.generate(
            request,
            on_progress=progress,
            on_preview=preview if ears.on_preview else None,
            should_cancel=ears.should_cancel,
        )
    for name in ("encode", "steps", "decode"):
        clock.spent[name] = float(result.timings.get(name, 0.0))
    return result


def _measure(order: Order, table: Table, image: Image.Image, detector: PoseDetector) -> Any:
    """The report; an outfit change keeps the wearer, not the garment, so its garment is not measured."""
    kept = order.kind not in (Kind.OUTFIT, Kind.TEXT)
    return measure(
        image,
        table.source if order.kind is not Kind.TEXT else None,
        table.garment if kept else None,
        locked=table.locked if kept else None,
        asked=table.asked,
        detector=detector,
    )


def _chosen(order: Order, shots: list[Shot]) -> tuple[Shot, ...]:
    """The best of each run of ``best_of`` candidates."""
    groups = [shots[k : k + order.best_of] for k in range(0, len(shots), order.best_of)]
    return tuple(group[best_of([shot.report for shot in group])] for group in groups)


def replay(
    recipe: Mapping[str, Any],
    *,
    photo: Image.Image | None,
    engine: Engine,
    detector: PoseDetector,
    weights: Mapping[str, str],
    listener: Listener | None = None,
    adapters: Sequence[Path] = (),
) -> Outcome:
    """Make a recipe's picture again: the same bytes, on the same machine with the same weights and libraries.

    Args:
        recipe: as a shoot wrote it; it names its adapters by hash, never by path.
        adapters: files among which those adapters are.
        photo, engine, detector, weights, listener: as :func:`shoot`.

    Raises:
        InputError: ``recipe_*``: what differs, so that the bytes would too.
        Cancelled: as :func:`shoot`.
    """
    order, batch = recipes.order_of(recipe, photo, adapters)
    order = replace(order, count=len(batch.seeds), best_of=1)
    outcome = shoot(order, engine=engine, detector=detector, weights=weights, listener=listener)
    shot = outcome.shots[batch.index]
    recipes.require_same(recipe, shot.recipe)
    return Outcome((shot,), outcome.table, outcome.timings)
