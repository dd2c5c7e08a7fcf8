"""Which checkpoint to keep: the one that does best on photos it was not trained on, not the one with the lowest loss.

Two things are looked at, both on held-out photos: the validation loss at fixed seeds and timesteps, which is smooth but
says little about the eye, and the similarity of samples to the photos, which is what is wanted but is measured on a few
samples. A checkpoint's merit is

    merit = similarity - VALIDATION_PRICE * (validation / lowest validation - 1)

with the similarity smoothed over its neighbours; the earliest within ``EQUAL`` of the best is taken, for what trained
less is bent less. Training loss does not choose. The article that this product comes from stopped at a loss of 0.07:
here that line is a flag, because a loss depends on weighting, noise and prediction type and means nothing by itself.

No torch, no Django: reading a log is enough to choose again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LOSS_LINE = 0.07
VALIDATION_PRICE = 2.0  # of the relative rise above the lowest: 5 % more loss costs 0.1 of similarity
EQUAL = 0.01
RISES = 0.02  # of the validation loss above its lowest, relative, that count as a rise
FALLS = 0.04  # of the similarity below its highest that count as a fall
LASTING = 2  # checkpoints in a row
COPIES = 0.6  # of :func:`studio.lora.collapse.copied` from which samples count as copies
SMOOTHING = 0.05


class Judged(Protocol):
    """What is known of a checkpoint; :class:`studio.lora.types.Checkpoint` is one."""

    @property
    def step(self) -> int:
        """Of the training, 1 up."""

    @property
    def smoothed_loss(self) -> float:
        """Of the training pictures."""

    @property
    def validation_loss(self) -> float | None:
        """Of the held-out pictures, None when none was held out."""

    @property
    def similarity(self) -> float | None:
        """Of samples to the held-out photos, 0..1; None without samples or masks."""


@dataclass(frozen=True)
class Choice:
    """The verdict on a training.

    Attributes:
        best: step of the checkpoint to use.
        reasons: codes: ``highest_similarity``, ``lowest_validation``, ``best_of_both``, ``earliest_of_equals``,
            ``only_checkpoint``, ``nothing_to_judge_by``.
        overtrained_from: step from which the training did harm, None when it did not.
        signs: codes of what showed it: ``validation_rises``, ``similarity_falls``, ``copies_training_pictures``.
        flags: codes: ``loss_line_reached``, ``loss_line_not_reached``, ``still_improving`` (the last checkpoint is the
            best: more steps may help), ``no_held_out_pictures``, ``no_similarity``.
        merits: step to merit, for the plot; empty when nothing could be judged.
    """

    best: int
    reasons: tuple[str, ...]
    overtrained_from: int | None = None
    signs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    merits: Mapping[int, float] = field(default_factory=dict)


def choose(checkpoints: Sequence[Judged], *, copied: Mapping[int, float] | None = None) -> Choice:
    """The best checkpoint, why, and whether the training went on for too long.

    Args:
        checkpoints: at least one, in any order.
        copied: step to how much its samples copy training pictures, 0..1, where that was measured.

    Raises:
        ValueError: no checkpoint.
    """
    if not checkpoints:
        raise ValueError("there is no checkpoint to choose from")
    rows = sorted(checkpoints, key=lambda one: one.step)
    merits = _merits(rows)
    best, reasons = _best(rows, merits)
    since, signs = _overtraining(rows, copied or {})
    return Choice(best, reasons, since, signs, _flags(rows, best, since), merits)


def smoothed(values: Sequence[float], share: float = SMOOTHING) -> list[float]:
    """An exponential mean of the values so far, each new one counting ``share``, corrected for its start (Kingma & Ba
    2015, arXiv:1412.6980, section 3): the first value is itself.
    """
    out, mean, weight = [], 0.0, 0.0
    for value in values:
        mean, weight = mean + share * (value - mean), weight + share * (1 - weight)
        out.append(mean / weight)
    return out


def _merits(rows: Sequence[Judged]) -> dict[int, float]:
    """Of the checkpoints of which as much is known as of any: a lucky one of which less is known must not win by it."""
    similar = _neighbourly({one.step: one.similarity for one in rows if one.similarity is not None})
    losses = {one.step: one.validation_loss for one in rows if one.validation_loss is not None}
    if not similar and not losses:
        return {}
    known = similar.keys() & losses.keys() or similar.keys() or losses.keys()
    lowest = min(losses.values(), default=0.0)
    price = {step: VALIDATION_PRICE * (loss / lowest - 1) if lowest > 0 else 0.0 for step, loss in losses.items()}
    return {step: round(similar.get(step, 0.0) - price.get(step, 0.0), 6) for step in sorted(known)}


def _neighbourly(found: Mapping[int, float]) -> dict[int, float]:
    """Each value with a quarter of each neighbour's; at an end the missing one's part goes to the value itself."""
    steps = sorted(found)
    values = [found[step] for step in steps]
    padded = [values[0], *values, values[-1]] if values else []
    return {step: (padded[k] + 2 * padded[k + 1] + padded[k + 2]) / 4 for k, step in enumerate(steps)}


def _best(rows: Sequence[Judged], merits: Mapping[int, float]) -> tuple[int, tuple[str, ...]]:
    if len(rows) == 1:
        return rows[0].step, ("only_checkpoint",)
    if not merits:
        return rows[-1].step, ("nothing_to_judge_by",)
    top = max(merits.values())
    best = min(step for step, merit in merits.items() if merit >= top - EQUAL)
    reasons = _leads(rows, best)
    return best, (*reasons, "earliest_of_equals") if merits[best] < top else reasons


def _leads(rows: Sequence[Judged], best: int) -> tuple[str, ...]:
    """In what the best checkpoint is ahead; in neither alone, then in both together."""
    own = next(one for one in rows if one.step == best)
    similar = [one.similarity for one in rows if one.similarity is not None]
    losses = [one.validation_loss for one in rows if one.validation_loss is not None]
    found = []
    if own.similarity is not None and own.similarity >= max(similar):
        found.append("highest_similarity")
    if own.validation_loss is not None and own.validation_loss <= min(losses):
        found.append("lowest_validation")
    return tuple(found) or ("best_of_both",)


def _overtraining(rows: Sequence[Judged], copied: Mapping[int, float]) -> tuple[int | None, tuple[str, ...]]:
    seen = {
        "validation_rises": _validation_rises(rows),
        "similarity_falls": _similarity_falls(rows),
        "copies_training_pictures": min((step for step, much in copied.items() if much >= COPIES), default=None),
    }
    found = {sign: step for sign, step in seen.items() if step is not None}
    return min(found.values(), default=None), tuple(found)


def _validation_rises(rows: Sequence[Judged]) -> int | None:
    """From where validation stays above its lowest while the training loss is below what it was there."""
    known = [(one.step, one.validation_loss, one.smoothed_loss) for one in rows if one.validation_loss is not None]
    if not known:
        return None
    lowest = min(range(len(known)), key=lambda k: known[k][1])
    _, bottom, trained = known[lowest]
    after = known[lowest + 1 :]
    return _lasting([(step, loss > bottom * (1 + RISES) and smooth < trained) for step, loss, smooth in after])


def _similarity_falls(rows: Sequence[Judged]) -> int | None:
    """From where similarity stays below its highest."""
    found = [(one.step, one.similarity) for one in rows if one.similarity is not None]
    if not found:
        return None
    highest = max(range(len(found)), key=lambda k: found[k][1])
    peak = found[highest][1]
    return _lasting([(step, value < peak - FALLS) for step, value in found[highest + 1 :]])


def _lasting(found: Sequence[tuple[int, bool]]) -> int | None:
    """The first step of the run of True that reaches the end, when it is long enough."""
    run = 0
    while run < len(found) and found[-1 - run][1]:
        run += 1
    return found[len(found) - run][0] if run >= LASTING else None


def _flags(rows: Sequence[Judged], best: int, since: int | None) -> tuple[str, ...]:
    reached = min(one.smoothed_loss for one in rows) <= LOSS_LINE
    flags = ["loss_line_reached" if reached else "loss_line_not_reached"]
    if all(one.validation_loss is None for one in rows):
        flags.append("no_held_out_pictures")
    if all(one.similarity is None for one in rows):
        flags.append("no_similarity")
    if len(rows) > 1 and best == rows[-1].step and since is None:
        flags.append("still_improving")
    return tuple(flags)
