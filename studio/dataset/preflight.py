"""Before anything is spent: every problem with its remedy, the buckets, who is held out, how long it will take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from studio.dataset import problems
from studio.dataset.buckets import Bucket, Size, buckets
from studio.dataset.captions import triggers_missing
from studio.dataset.records import BLURRED_BELOW, Inspection, Picture
from studio.dataset.types import Problem, View
from studio.errors import InputError

HELD_OUT_SHARE, MOST_HELD_OUT = 1 / 7, 4
MOST_REPEATS = 3  # of a picture whose view is rare
WASTEFUL = 0.2
_ORDER = {"stop": 0, "warn": 1, "info": 2}


@dataclass(frozen=True)
class Words:
    """What a text encoder makes of words.

    Attributes:
        count: tokens of a caption, start and end included.
        most: tokens it reads.
        known: whether a word is one token, and so has a meaning already.
        spells: whether a word can be written without unknown tokens.
    """

    count: Callable[[str], int]
    most: int
    known: Callable[[str], bool]
    spells: Callable[[str], bool]


@dataclass(frozen=True)
class Planned:
    """One picture as it will be trained.

    Attributes:
        index: its place among those given.
        view, caption, repeats, held_out: as of an entry.
        width, height: its bucket.
    """

    index: int
    view: View
    caption: str
    repeats: int
    held_out: bool
    width: int
    height: int


@dataclass(frozen=True)
class Preflight:
    """What a merchant sees before a training starts; ``dataclasses.asdict`` makes JSON of it.

    Attributes:
        problems: the gravest first.
        buckets: of what is trained on, the fullest first; their pictures are indices among those given.
        entries: the pictures that are taken.
        held_out: indices of those that are never trained on.
        coverage: how many of the pictures that are trained on show each view.
        steps: optimiser steps.
        passes: how often each picture is seen, about.
        seconds: predicted; None: nobody has measured a step yet.
        may_start: no problem says stop.
    """

    problems: tuple[Problem, ...]
    buckets: tuple[Bucket, ...]
    entries: tuple[Planned, ...]
    held_out: tuple[int, ...]
    coverage: Mapping[str, int]
    steps: int
    passes: float
    seconds: float | None
    may_start: bool


def preflight(
    found: Inspection,
    *,
    base: Size,
    step: int,
    steps: int,
    batch: int = 1,
    seconds_per_step: float | None = None,
    setup_seconds: float = 0.0,
    left_out: Sequence[int] = (),
    captions: Mapping[int, str] | None = None,
    held_out: Sequence[int] | None = None,
    encoder: Words | None = None,
) -> Preflight:
    """Plan a training and say what is wrong with it.

    Args:
        found: from :func:`studio.dataset.inspecting.inspect_set`.
        base, step: the family's (width, height) in pixels and what sides are multiples of.
        steps, batch: optimiser steps, and pictures in each.
        seconds_per_step: measured on the machine that will train, with that batch; None: unknown.
        setup_seconds: loading and caching.
        left_out: indices of pictures that the merchant took out.
        captions: the merchant's own by index; else those of the inspection.
        held_out: the merchant's own choice; None: chosen here.
        encoder: what its text encoder makes of words; None: captions are not held against it.

    Raises:
        InputError: ``steps_invalid``, ``picture_index_invalid``, ``bucket_size_invalid``.
    """
    if steps < 1 or batch < 1:
        raise InputError("steps_invalid", "A training has one step and one picture in it, at least.")
    _check_indices(found, (*left_out, *(captions or {}), *(held_out or ())))
    chosen = tuple(_with_own(one, captions or {}) for one in found.pictures if one.index not in set(left_out))
    spared = tuple(sorted(held_out)) if held_out is not None else hold_out(chosen, found.duplicates)
    trained = tuple(one for one in chosen if one.index not in spared)
    plan = _bucketed(trained, base=base, step=step)
    entries = _entries(chosen, spared, _bucketed(chosen, base=base, step=step))
    wrong = [*problems.of_pictures(_without(found, left_out), chosen, area=base[0] * base[1]),
             *problems.of_the_set(chosen, trained), *_of_captions(chosen, found.trigger, encoder)]  # fmt: skip
    if chosen and not spared:
        wrong.append(problems.problem("no_held_out"))
    wasteful = [i for bucket in plan if bucket.cut > WASTEFUL for i in bucket.pictures]
    wrong += [problems.problem("crop_wasteful", wasteful)] if wasteful else []
    looks = sum(one.repeats for one in entries if not one.held_out)
    return Preflight(
        problems=tuple(sorted(wrong, key=lambda one: _ORDER[one.severity])),
        buckets=plan,
        entries=entries,
        held_out=spared,
        coverage={view: sum(one.view == view for one in trained) for view in ("front", "side", "back", "unsure")},
        steps=steps,
        passes=round(steps * batch / looks, 2) if looks else 0.0,
        seconds=None if seconds_per_step is None else math.ceil(setup_seconds + steps * seconds_per_step),
        may_start=bool(looks) and not any(one.severity == "stop" for one in wrong),
    )


def _check_indices(found: Inspection, indices: Sequence[int]) -> None:
    known = {one.index for one in found.pictures} | {one.index for one in found.refused}
    if not set(indices) <= known:
        raise InputError("picture_index_invalid", f"There are {len(known)} pictures; one of those named is none.")


def _with_own(picture: Picture, captions: Mapping[int, str]) -> Picture:
    return replace(picture, caption=captions.get(picture.index, picture.caption))


def _without(found: Inspection, left_out: Sequence[int]) -> Inspection:
    return replace(found, refused=tuple(one for one in found.refused if one.index not in set(left_out)))


def hold_out(chosen: Sequence[Picture], duplicates: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Indices of the pictures to judge a training by: one in seven, four at most.

    Never one whose near duplicate is trained on, nor the only one of its view; those with a mask and nothing wrong
    first, a front before a side before a back, then one of each view before a second.
    """
    count = min(MOST_HELD_OUT, int(len(chosen) * HELD_OUT_SHARE))
    doubled = {index for group in duplicates for index in group}
    spared: list[Picture] = []
    for _ in range(count):
        rest = [one for one in chosen if one not in spared]
        able = [one for one in rest if one.index not in doubled and one.mask is not None and one.people <= 1
                and sum(other.view == one.view for other in rest) > 1]  # fmt: skip
        if not able:
            break
        spared.append(min(able, key=lambda one: _cost_of_sparing(one, spared)))
    return tuple(sorted(one.index for one in spared))


def _cost_of_sparing(one: Picture, spared: Sequence[Picture]) -> tuple[int, int, int, int]:
    showing = one.showing
    flaws = one.sharpness < BLURRED_BELOW, one.strange
    hidden = showing is not None and (showing.is_cut or showing.is_covered or showing.small)
    order = {"front": 0, "side": 1, "back": 2}.get(one.view, 3)
    return sum(other.view == one.view for other in spared), sum(flaws) + hidden, order, one.index


def _bucketed(chosen: Sequence[Picture], *, base: Size, step: int) -> tuple[Bucket, ...]:
    """The buckets, with the pictures' own indices."""
    made = buckets([one.size for one in chosen], base=base, step=step)
    return tuple(replace(one, pictures=tuple(chosen[i].index for i in one.pictures)) for one in made)


def _entries(chosen: Sequence[Picture], spared: Sequence[int], plan: Sequence[Bucket]) -> tuple[Planned, ...]:
    place = {index: (bucket.width, bucket.height) for bucket in plan for index in bucket.pictures}
    trained = [one.view for one in chosen if one.index not in spared]
    most = max((trained.count(view) for view in set(trained) - {"unsure"}), default=1)
    planned = []
    for one in chosen:
        # A view that few pictures show is seen more often, or the LoRA knows the front alone.
        rare = 1 if one.view == "unsure" or one.index in spared else most / max(1, trained.count(one.view))
        repeats = max(1, min(MOST_REPEATS, round(rare)))
        planned.append(Planned(one.index, one.view, one.caption, repeats, one.index in spared, *place[one.index]))
    return tuple(planned)


def _of_captions(chosen: Sequence[Picture], trigger: str, encoder: Words | None) -> list[Problem]:
    missing = triggers_missing([one.caption for one in chosen], trigger)
    wrong = [problems.problem("trigger_missing", (chosen[i].index for i in missing))] if missing else []
    if encoder is None:
        return wrong
    if not encoder.spells(trigger):
        wrong.append(problems.problem("trigger_unreadable"))
    elif encoder.known(trigger):
        wrong.append(problems.problem("trigger_is_a_word"))
    long = [one.index for one in chosen if encoder.count(one.caption) > encoder.most]
    return [*wrong, problems.problem("caption_too_long", long)] if long else wrong
