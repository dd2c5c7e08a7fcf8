"""Putting the garment back: exact inside the lock, no step across the edge, nothing moved far away."""

from __future__ import annotations

import numpy as np
from PIL import Image

from studio.shoot.composite import composite, lock, match_seam

SIZE = 768
KEPT = np.zeros((SIZE, SIZE), bool)
KEPT[240:560, 240:560] = True
ALL = np.ones_like(KEPT)


def flat(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (SIZE, SIZE), colour)


def test_locked_pixels_are_the_sources_and_far_ones_the_repaints() -> None:
    locked = lock(KEPT)
    out = np.asarray(composite(flat((200, 60, 60)), flat((180, 40, 40)), KEPT, locked, photographed=ALL))
    assert (out[locked] == (180, 40, 40)).all()
    assert (out[:160] == (200, 60, 60)).all()
    assert 0.8 < locked.sum() / KEPT.sum() < 1.0


def test_a_drifted_garment_colour_is_shifted_at_the_seam_and_not_far_from_it() -> None:
    painted = np.full((SIZE, SIZE, 3), (200, 60, 60), np.float32)
    photo = np.full((SIZE, SIZE, 3), (180, 40, 40), np.float32)
    matched = match_seam(painted, photo, KEPT)
    assert np.abs(matched[400, 561] - (180, 40, 40)).max() < 10
    assert (matched[400, 600] == (200, 60, 60)).all()


def test_a_background_of_another_colour_is_left_alone() -> None:
    painted = np.full((SIZE, SIZE, 3), (30, 30, 220), np.float32)
    painted[KEPT] = (200, 60, 60)
    photo = np.full((SIZE, SIZE, 3), (180, 40, 40), np.float32)
    matched = match_seam(painted, photo, KEPT)
    assert np.abs(matched[400, 563] - (30, 30, 220)).max() < 4


def test_the_edge_is_a_ramp_and_not_a_step() -> None:
    out = np.asarray(composite(flat((255, 255, 255)), flat((0, 0, 0)), KEPT, lock(KEPT), photographed=ALL))[
        400, :, 0
    ].astype(int)
    steps = np.abs(np.diff(out[230:250]))
    assert steps.max() < 150
    assert (steps > 0).sum() >= 2


def test_nothing_kept_is_the_repaint_itself() -> None:
    nothing = np.zeros_like(KEPT)
    painted = flat((1, 2, 3))
    assert composite(painted, flat((9, 9, 9)), nothing, nothing, photographed=ALL) is painted


def test_blank_paper_beside_a_cut_off_garment_never_shows() -> None:
    photographed = ALL.copy()
    photographed[560:] = False
    paper = np.array(flat((180, 40, 40)))
    paper[560:] = (232, 234, 238)
    painted = flat((200, 60, 60))
    out = composite(painted, Image.fromarray(paper), KEPT, lock(KEPT), photographed=photographed)
    assert np.asarray(out)[560:, 300:500, 1].max() <= 60
