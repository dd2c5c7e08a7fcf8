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
    core = _core(figure, zones)
    if not core.any():
        empty = np.zeros_like(figure)
        return Dressed(empty, empty, empty, 0.0)
    full = _cloth(small, lab, figure, core, zones)
    if zones is None or not zones.legs_seen:
        return Dressed(full, full, np.zeros_like(full), 0.0)
    return _two(small, lab, full, core, zones)


def _core(figure: Mask, zones: Zones | None) -> Mask:
    if zones is not None:
        core = zones.core & figure & ~zones.head
        if core.any():
            return core
    ys, xs = np.nonzero(figure)
    if not len(ys):
        return figure
    top, bottom = np.percentile(ys, (18, 60))
    left, right = np.percentile(xs, (28, 72))
    core = np.zeros_like(figure)
    core[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = True
    return core & figure


def _cloth(small: NDArray[np.uint8], lab: Floats, figure: Mask, core: Mask, zones: Zones | None) -> Mask:
    bare = _bare_model(lab, figure, core, zones)
    never = np.zeros_like(figure) if zones is None else zones.head
    odds = np.where(core, 3.0, 0.0).astype(np.float32)
    if zones is not None:
        odds = _odds_by_place(zones, core)
    samples = _cloth_samples(lab, core, bare)
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
        found &= ~_hair(lab, figure, found, core, zones)
    return _connected(clean(found, radius=0.003 * max(figure.shape)), core)


def _bare_model(lab: Floats, figure: Mask, core: Mask, zones: Zones | None) -> ColourModel | None:
    """Colours of what is not dressed: the face's, else the neck stump's, else any skin's."""
    face = _face_samples(lab, figure, zones)
    if face is not None:
        return colours.fit(colours.in_other_light(face), components=6, floor=(20.0, 7.0, 7.0))
    stump = _stump(figure)
    if np.count_nonzero(shrink(stump, 1)) >= 12 and _unlike(lab, shrink(stump, 1), core):
        return colours.fit(colours.in_other_light(lab[shrink(stump, 1)]), components=6, floor=(20.0, 5.0, 5.0))
    return colours.generic_skin() if zones is not None else None


def _face_samples(lab: Floats, figure: Mask, zones: Zones | None) -> Floats | None:
    """Skin seen in the face: the two thirds of its pixels nearest to their median, so neither eyes nor glasses."""
    if zones is None or not zones.faced:
        return None
    face = zones.face & figure
    if np.count_nonzero(face) < 0.8 * np.count_nonzero(zones.face) or np.count_nonzero(face) < 20:
        return None
    samples = lab[face]
    distance = (((samples - np.median(samples, axis=0)) / (2.5, 1, 1)) ** 2).sum(axis=1)
    return np.asarray(samples[distance <= np.percentile(distance, 66)], np.float32)


def _stump(figure: Mask) -> Mask:
    """What stands up narrow in the middle above the shoulders of a silhouette."""
    rows = np.flatnonzero(figure.any(axis=1))
    widths = figure.sum(axis=1)
    upper = rows[: max(1, int(0.35 * len(rows)))]
    shoulders = int(widths[upper].max())
    wide = upper[widths[upper] > 0.5 * shoulders]
    stump = np.zeros_like(figure)
    if len(wide) and wide[0] - rows[0] > 0.012 * len(rows):
        stump[rows[0] : wide[0]] = figure[rows[0] : wide[0]]
    return stump


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
    return np.where(within, guided(small, belief, radius=radius, eps=2e-3), 0).astype(np.float32)


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


def _hair(lab: Floats, figure: Mask, cloth: Mask, core: Mask, zones: Zones) -> Mask:
    """Hair that falls over the cloth: hair-coloured, and grown together with the hair of the head."""
    above = zones.head & figure & ~expand(zones.face, 0.04 * zones.unit)
    if np.count_nonzero(above) < 40 or not _unlike(lab, above, core):
        return np.zeros_like(cloth)
    hair = colours.fit(lab[above], components=4)
    worn = colours.fit(lab[shrink(cloth, 2) & core] if (shrink(cloth, 2) & core).any() else lab[core], components=5)
    alike = hair.density(lab) > 4 * (worn.density(lab) + 0.3 * ANYTHING)
    candidate = shrink(alike & figure & (zones.mane | zones.head), 1.5)
    _, labels = cv2.connectedComponents(candidate.astype(np.uint8), connectivity=8)
    rooted = np.unique(labels[above & candidate & ~zones.neck])
    grown = np.isin(labels, rooted[rooted > 0])
    return expand(grown, 2.5) & alike & cloth


def _two(small: NDArray[np.uint8], lab: Floats, full: Mask, core: Mask, zones: Zones) -> Dressed:
    """Upper and lower by cloth colour, and by the waist where the colours do not tell."""
    high = full & ((zones.along < 0.6) & ~zones.arms | core & (zones.along < 0.7))
    low = full & (zones.along > 1.15) & zones.thighs & ~zones.arms
    if np.count_nonzero(high) < 30 or np.count_nonzero(low) < 30:
        return Dressed(full, full, np.zeros_like(full), 0.0)
    first, second = colours.fit(lab[high], components=5), colours.fit(lab[low], components=5)
    differ = colours.separation(first, second, lab[high], lab[low])
    by_colour = np.log((first.density(lab) + ANYTHING) / (second.density(lab) + ANYTHING))
    by_place = np.clip((0.95 - zones.along) * 8, -4, 4)
    by_place[zones.arms & (zones.along < 1.6)] += 2
    belief = _smooth(small, (np.clip(by_colour, -4, 4) * differ + by_place).astype(np.float32), full)
    upper = largest_parts(full & (belief >= 0.5), 3, at_least=0.04)
    return Dressed(full, upper, largest_parts(full & ~upper, 3, at_least=0.04), differ)
