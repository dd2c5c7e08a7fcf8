"""What of a figure is cloth: skin, hair, hands, shoes and a mannequin's bare parts told from it by colour and place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.segmentation import colours
from studio.segmentation.colours import ANYTHING, ColourModel, Floats
from studio.segmentation.guided import guided
from studio.segmentation.masks import Mask, SoftMask, clean, expand, largest_parts, shrink
from studio.segmentation.zones import Zones

# Where trousers and skirts begin, on the way from the shoulders (0) to the hip joints (1).
WAIST = 0.85


@dataclass(frozen=True)
class Dressed:
    """The clothes of one figure at working size.

    Attributes:
        full: (h, w) bool, everything worn but shoes.
        upper, lower: its two parts; ``lower`` is empty when no legs are in view.
        two_pieces: 0..1, how surely upper and lower are of different cloth.
    """

    full: Mask
    upper: Mask
    lower: Mask
    two_pieces: float


def dressed(small: NDArray[np.uint8], figure: Mask, zones: Zones | None) -> Dressed:
    """Split a figure's silhouette (h, w) into cloth and the rest, and the cloth into upper and lower."""
    lab = colours.to_lab(small)
    if zones is None:
        figure = figure & ~_stand(figure)
    core = _core(figure, zones)
    if not core.any():
        empty = np.zeros_like(figure)
        return Dressed(empty, empty, empty, 0.0)
    full = _cloth(small, lab, figure, core, zones)
    if zones is None or not zones.legs_seen:
        return Dressed(full, full, np.zeros_like(full), 0.0)
    return _two(small, lab, full, core, zones)


def _core(figure: Mask, zones: Zones | None) -> Mask:
    """Where the figure is surely dressed: the trunk's middle."""
    if zones is not None:
        core = zones.core & figure & ~zones.head
        if core.any():
            return core
    body = figure & ~_stump(figure)
    ys, xs = np.nonzero(body)
    if not len(ys):
        return figure
    top, bottom = np.percentile(ys, (15, 55))
    left, right = np.percentile(xs, (28, 72))
    core = np.zeros_like(figure)
    core[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = True
    return core & body


def _cloth(small: NDArray[np.uint8], lab: Floats, figure: Mask, core: Mask, zones: Zones | None) -> Mask:
    bare = _bare_model(lab, figure, core, zones)
    never = _head(lab, figure, core) if zones is None else zones.head
    # Without a pose nothing speaks for bare but the neck's colour; without that either, all of the figure is cloth.
    odds = np.where(core, 3.0, 4.0 if bare is None else 0.5).astype(np.float32)
    if zones is not None:
        odds = _odds_by_place(zones, core)
    samples = _cloth_samples(lab, core, bare)
    if zones is not None and bare is not None:
        limbs = _dressed_limbs(lab, figure & ~core, zones, bare)
        samples = np.concatenate([samples, *(limb_samples for _, limb_samples in limbs)])
        for limb, _ in limbs:
            odds[limb] += 1.5
    for _ in range(2):
        cloth = colours.fit(samples, components=5)
        total = odds if bare is None else odds + _odds_by_colour(lab, cloth, bare)
        if zones is not None:
            total = np.where(zones.feet & ~core, _odds_of_shoes(lab, cloth), total)
        belief = _smooth(small, total, figure & ~never)
        found = _connected(belief >= 0.5, core)
        if not found.any():
            break
        samples = lab[shrink(found, 2)] if shrink(found, 2).any() else lab[found]
    if zones is not None:
        found &= ~_hair(lab, figure, found, core, zones, bare)
    else:
        found = _stripes_joined(found) & figure & ~never
    return _connected(clean(found, radius=0.003 * max(figure.shape)) & figure, core)


def _stripes_joined(found: Mask) -> Mask:
    """Stripes of a mannequin's own colour lie between cloth above and cloth below; a neckline and bare arms do not."""
    tall = max(3, round(0.05 * max(found.shape))) | 1
    return np.asarray(cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((tall, 1), np.uint8)) > 0)


def _head(lab: Floats, figure: Mask, core: Mask) -> Mask:
    """A head by its shape alone: large above the neck, and not of the cloth's colour as a hood would be."""
    stump = _stump(figure)
    if np.count_nonzero(stump) > 0.04 * np.count_nonzero(figure) and _unlike(lab, stump, core):
        return stump
    return np.zeros_like(figure)


def _bare_model(lab: Floats, figure: Mask, core: Mask, zones: Zones | None) -> ColourModel | None:
    """Colours of what is not dressed: the face's, else the neck stump's, else any skin's."""
    face = _face_samples(lab, figure, zones)
    if face is not None:
        return colours.fit(colours.in_other_light(face), components=6, floor=(20.0, 7.0, 7.0))
    stump = _stump(figure)
    if np.count_nonzero(shrink(stump, 1)) >= 12 and _unlike(lab, shrink(stump, 1), core):
        neck = _typical(lab[shrink(stump, 1)])
        return colours.fit(colours.in_other_light(neck), components=6, floor=(20.0, 5.0, 5.0))
    return colours.generic_skin() if zones is not None else None


def _face_samples(lab: Floats, figure: Mask, zones: Zones | None) -> Floats | None:
    """Skin seen in the face, without eyes and glasses."""
    if zones is None or not zones.faced:
        return None
    face = zones.face & figure
    if np.count_nonzero(face) < 0.8 * np.count_nonzero(zones.face) or np.count_nonzero(face) < 20:
        return None
    return _typical(lab[face])


def _typical(samples: Floats) -> Floats:
    """The two thirds of the samples nearest to their median."""
    distance = (((samples - np.median(samples, axis=0)) / (2.5, 1, 1)) ** 2).sum(axis=1)
    return np.asarray(samples[distance <= np.percentile(distance, 66)], np.float32)


def _stump(figure: Mask) -> Mask:
    """What a silhouette has above its shoulders: a head down to the neck, or a mannequin's neck."""
    rows = np.flatnonzero(figure.any(axis=1))
    stump = np.zeros_like(figure)
    end = _neck(figure[rows].sum(axis=1).astype(np.float32)) if len(rows) >= 20 else 0
    stump[rows[:end]] = figure[rows[:end]]
    return stump


def _stand(figure: Mask) -> Mask:
    """The pole that a mannequin stands on, and the foot below it: from where a figure stays a fifth of its width."""
    rows = np.flatnonzero(figure.any(axis=1))
    stand = np.zeros_like(figure)
    if len(rows) < 20:
        return stand
    widths = figure[rows].sum(axis=1).astype(np.float32)
    wide = float(np.percentile(widths, 90))
    thin = widths < 0.2 * wide
    thin[: int(np.argmax(widths >= wide))] = False
    long = max(4, round(0.04 * len(rows)))
    runs = np.convolve(thin, np.ones(long), "valid") >= long
    if runs.any():
        below = rows[int(np.argmax(runs)) :]
        stand[below] = figure[below]
    return stand


def _neck(widths: NDArray[np.float32]) -> int:
    """Rows above the shoulders in a silhouette's row widths, top first; 0 when the shoulders come at once."""
    count = len(widths)
    span = max(3, count // 60) | 1
    smooth = cv2.blur(widths[:, None], (1, span), borderType=cv2.BORDER_REPLICATE)[:, 0]
    for row in range(count // 20, count // 2):
        head = smooth[:row].max()
        is_least = smooth[row] <= smooth[max(0, row - count // 25) : row + count // 25].min()
        below = smooth[row : row + count // 5].max()
        if is_least and head > 1.08 * smooth[row] and below > max(1.6 * smooth[row], 1.35 * head):
            return row
    upper = smooth[: max(1, int(0.35 * count))]
    shoulders = int(np.argmax(upper > 0.5 * upper.max()))
    return shoulders if shoulders > 0.012 * count else 0


def _unlike(lab: Floats, one: Mask, other: Mask) -> bool:
    a, b = np.median(lab[one], axis=0), np.median(lab[other], axis=0)
    return bool(np.linalg.norm((a - b) / (1.5, 1, 1)) > 8)


def _cloth_samples(lab: Floats, core: Mask, bare: ColourModel | None) -> Floats:
    """The trunk's middle without what looks bare, unless nearly all of it does: then the cloth is skin-coloured."""
    samples = lab[core]
    if bare is None:
        return np.asarray(samples, np.float32)
    kept = samples[bare.density(samples) < 3 * ANYTHING]
    return np.asarray(kept if len(kept) > 0.3 * len(samples) else samples, np.float32)


def _dressed_limbs(lab: Floats, figure: Mask, zones: Zones, bare: ColourModel) -> list[tuple[Mask, Floats]]:
    """Place and samples of those limbs which, each taken as one thing, are of other stuff than the bare parts.

    Pixel by pixel brown trousers pass for brown skin; all of a thigh together hardly does.
    """
    limbs = (zones.thighs, zones.shins & ~zones.feet, zones.arms & ~zones.forearms, zones.forearms & ~zones.hands)
    bare_samples = bare.means.astype(np.float32)
    found = []
    for limb in limbs:
        samples = lab[limb & figure]
        if len(samples) < 40:
            continue
        own = colours.fit(samples, components=3, floor=(8.0, 3.0, 3.0))
        told = colours.separation(own, bare, samples, bare_samples)
        if told > 0.85:
            found.append((limb, samples[own.density(samples) > 2 * bare.density(samples)]))
    return found


def _odds_by_place(zones: Zones, core: Mask) -> Floats:
    """Log odds of cloth from the place alone."""
    odds = np.full(core.shape, 1.0, np.float32)
    odds[zones.thighs] = 0.5
    odds[zones.shins | zones.forearms] = 0.0
    odds[zones.neck] = -0.5
    odds[zones.hands] = -1.0
    odds[core] = 2.5
    return odds


def _odds_by_colour(lab: Floats, cloth: ColourModel, bare: ColourModel) -> Floats:
    """Log odds of cloth from the colour alone; a colour seen in neither is cloth, for prints have many."""
    as_cloth = 0.85 * cloth.density(lab) + 0.15 * ANYTHING
    as_bare = bare.density(lab) + 0.02 * ANYTHING
    return np.asarray(np.clip(np.log(as_cloth) - np.log(as_bare), -5, 5), np.float32)


def _odds_of_shoes(lab: Floats, cloth: ColourModel) -> Floats:
    """At the feet it is the other way round: a colour not worn higher up is a shoe."""
    return np.asarray(np.clip(np.log((cloth.density(lab) + 1e-12) / (6 * ANYTHING)), -4, 4), np.float32)


def _smooth(small: NDArray[np.uint8], odds: Floats, within: Mask) -> SoftMask:
    belief = (within / (1 + np.exp(-odds))).astype(np.float32)
    radius = max(2, round(0.008 * max(within.shape)))
    # Divided by the smoothed region itself, or beliefs would sink along its rim.
    weight = np.maximum(guided(small, within.astype(np.float32), radius=radius, eps=2e-3), 0.1)
    return np.where(within, guided(small, belief, radius=radius, eps=2e-3) / weight, 0).astype(np.float32)


def _connected(found: Mask, core: Mask) -> Mask:
    """Parts that reach the trunk's middle, or that are a twentieth of the largest one that does."""
    total, labels = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel(), minlength=total)
    touching = np.zeros(total, np.bool_)
    touching[np.unique(labels[core & found])] = True
    touching[0] = False
    if not touching.any():
        return np.zeros_like(found)
    large = sizes >= 0.05 * sizes[touching].max()
    large[0] = False
    return np.asarray((touching | large)[labels])


def _hair(lab: Floats, figure: Mask, cloth: Mask, core: Mask, zones: Zones, bare: ColourModel | None) -> Mask:
    """Hair that falls over the cloth: hair-coloured, and grown together with the hair of the head."""
    crown = zones.crown & figure & ~expand(zones.face, 0.04 * zones.unit)
    if bare is not None:
        crown &= bare.density(lab) < 3 * ANYTHING
    if np.count_nonzero(crown) < 40 or not _unlike(lab, crown, core):
        return np.zeros_like(cloth)
    hair = colours.fit(lab[crown], components=3)
    inner = shrink(cloth, 2) & core
    worn = colours.fit(lab[inner if inner.any() else core], components=5)
    alike = hair.density(lab) > 4 * (worn.density(lab) + 0.5 * ANYTHING)
    grown = _reaching(shrink(alike & figure & (zones.mane | zones.head) & ~zones.neck, 1.5), crown)
    return expand(grown, 2.5) & alike & cloth


def _reaching(found: Mask, roots: Mask) -> Mask:
    """The parts of ``found`` that hold a pixel of ``roots``."""
    total, labels = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
    kept = np.zeros(total, np.bool_)
    kept[np.unique(labels[roots & found])] = True
    kept[0] = False
    return np.asarray(kept[labels])


def _two(small: NDArray[np.uint8], lab: Floats, full: Mask, core: Mask, zones: Zones) -> Dressed:
    """Upper and lower: cut where the cloth changes most on the way down, and at the waist when it hardly does."""
    trunk = full & ~(zones.arms & ~core) & (zones.along > 0.1)
    cut = _cut(lab[trunk], zones.along[trunk])
    high, low = np.zeros_like(full), np.zeros_like(full)
    high[trunk], low[trunk] = cut.high, cut.low
    if np.count_nonzero(high) < 30 or np.count_nonzero(low) < 30:
        return Dressed(full, full, np.zeros_like(full), 0.0)
    first, second = colours.fit(lab[high], components=5), colours.fit(lab[low], components=5)
    by_colour = np.log((first.density(lab) + ANYTHING) / (second.density(lab) + ANYTHING))
    by_place = np.clip((cut.where - zones.along) * 10, -cut.trust, 4)
    by_place[zones.arms & ~zones.thighs & (by_place < 1)] = 1
    belief = _smooth(small, (np.clip(by_colour, -4, 4) * cut.differ + by_place).astype(np.float32), full)
    upper = largest_parts(full & (belief >= 0.5), 3, at_least=0.04)
    return Dressed(full, upper, largest_parts(full & ~upper, 3, at_least=0.04), cut.differ)


@dataclass(frozen=True)
class _Cut:
    """Where upper meets lower, how much they differ (0..1), how far the place is to be trusted, and sure samples."""

    where: float
    differ: float
    trust: float
    high: NDArray[np.bool_]
    low: NDArray[np.bool_]


def _cut(samples: Floats, along: NDArray[np.float32]) -> _Cut:
    """The cut of greatest information gain over colour clusters, as in a decision stump."""
    if len(samples) < 100:
        return _Cut(WAIST, 0.0, 4.0, along < WAIST, along > WAIST)
    labels = colours.clusters(samples, 8)
    cuts = np.arange(0.55, 2.3, 0.05)
    gains, distances = np.array([_gain(labels, along < cut) for cut in cuts]).T
    best = int(np.argmax(gains))
    where, differ = float(cuts[best]), float(distances[best])
    if differ < 0.25:
        return _Cut(WAIST, differ, 4.0, along < WAIST - 0.08, along > WAIST + 0.08)
    high, low = along < where - 0.08, along > where + 0.08
    if differ > 0.75:
        return _Cut(where, differ, 4.0, high, low)
    # A coat over trousers: the coat goes on below the cut, so only colours not worn above it are the trousers'.
    above = np.bincount(labels[high], minlength=8) / max(1, high.sum())
    below = np.bincount(labels[low], minlength=8) / max(1, low.sum())
    own = (above < 0.12 * below)[labels]
    return _Cut(where, differ, 1.0, high & ~own, low & own)


def _gain(labels: NDArray[np.int32], above: NDArray[np.bool_]) -> tuple[float, float]:
    """Information gain and total variation distance between the clusters of the two sides."""
    share = float(above.mean())
    if min(share, 1 - share) < 0.05:
        return 0.0, 0.0
    p = np.bincount(labels[above], minlength=8) / above.sum()
    q = np.bincount(labels[~above], minlength=8) / (~above).sum()
    gain = _entropy(share * p + (1 - share) * q) - share * _entropy(p) - (1 - share) * _entropy(q)
    return gain, float(np.abs(p - q).sum() / 2)


def _entropy(shares: NDArray[np.float64]) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
