"""Problems with remedies, the plan, who is held out; from stored facts alone, without a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import studio.mini
from studio.dataset.captions import Words, caption
from studio.dataset.encoders import words_of
from studio.dataset.preflight import Preflight, hold_out, preflight
from studio.dataset.problems import TEXTS
from studio.dataset.records import CropProposal, Inspection, Picture, Refused, Showing, from_json, to_json
from studio.errors import InputError

VIEWS = ("front", "front", "front", "side", "side", "back", "front")


def picture(index: int, view: str = "front", **facts: object) -> Picture:
    """A picture with nothing wrong."""
    words = Words("coat", colour="red", view=view)
    usual = Picture(
        index=index, size=(800, 1200), people=1, view=view, guess=view, view_by="landmarks", mask=b"png",  # type: ignore[arg-type]  # a View
        mask_by="merchant", sharpness=-0.8, showing=Showing(0.2, 0.0, 0.0), likeness=1.0, words=words,
        caption=caption(words, trigger="zkv17", language="mini"), crops=(), flip=True,
    )  # fmt: skip
    return replace(usual, **facts)  # type: ignore[arg-type]  # its fields


def found(*pictures: Picture, **facts: object) -> Inspection:
    """An inspection of these pictures; seven good ones when none are given."""
    shown = pictures or tuple(picture(i, view) for i, view in enumerate(VIEWS))
    return replace(Inspection("zkv17", "mini", "coat", shown, (), ()), **facts)  # type: ignore[arg-type]  # its fields


def plan(inspection: Inspection, **options: object) -> Preflight:
    """The preflight for the bundled family."""
    return preflight(inspection, **{"base": (128, 192), "step": 32, "steps": 400, **options})  # type: ignore[arg-type]


def codes(made: Preflight) -> dict[str, tuple[int, ...]]:
    return {one.code: one.pictures for one in made.problems}


def test_seven_good_pictures_have_no_problem_and_may_start() -> None:
    made = plan(found(), batch=4, seconds_per_step=0.6, setup_seconds=10)
    assert made.problems == () and made.may_start
    assert made.held_out == (0,)
    assert made.coverage == {"front": 3, "side": 2, "back": 1, "unsure": 0}  # a front is held out
    assert made.seconds == 250
    # Three fronts once, two sides (3/2) twice, one back three times.
    assert {one.index: one.repeats for one in made.entries if not one.held_out} == {1: 1, 2: 1, 6: 1, 3: 2, 4: 2, 5: 3}
    assert made.passes == pytest.approx(400 * 4 / 10)
    assert [(one.width, one.height) for one in made.entries] == [(128, 192)] * 7
    json.dumps(asdict(made))


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("several_people", {"people": 2}),
        ("nobody_found", {"people": 0}),
        ("garment_not_found", {"mask": None, "mask_by": "", "showing": None}),
        ("blurred", {"sharpness": -1.9}),
        ("low_resolution", {"size": (90, 135)}),
        ("garment_small", {"showing": Showing(0.01, 0.0, 0.0)}),
        ("garment_cut", {"showing": Showing(0.2, 0.4, 0.0)}),
        ("garment_covered", {"showing": Showing(0.2, 0.0, 0.4)}),
        ("wrong_garment", {"likeness": 0.6}),
        ("view_unsure", {"view": "unsure"}),
        ("trigger_missing", {"caption": "a red coat"}),
        ("crop_wasteful", {"size": (3000, 800)}),
    ],
)
def test_each_fault_is_named_with_its_picture_and_a_remedy(code: str, facts: dict[str, object]) -> None:
    pictures = [picture(i, view) for i, view in enumerate(VIEWS)]
    pictures[2] = replace(pictures[2], **facts)  # type: ignore[arg-type]  # its fields
    made = plan(found(*pictures))
    assert codes(made) == {code: (2,)}
    (problem,) = made.problems
    assert problem.remedy and problem.message and problem.severity == TEXTS[code][0]
    assert made.may_start == (problem.severity != "stop")
    assert 2 not in made.held_out


def test_a_proposed_mask_is_given_the_benefit_of_the_doubt() -> None:
    pictures = [picture(i, view, mask_by="proposal", likeness=0.6) for i, view in enumerate(VIEWS)]
    assert codes(plan(found(*pictures))) == {}


def test_the_gravest_problem_comes_first() -> None:
    pictures = [picture(i, view) for i, view in enumerate(VIEWS)]
    pictures[1] = replace(pictures[1], view="unsure", sharpness=-2.0, caption="a coat")
    assert [one.severity for one in plan(found(*pictures)).problems] == ["stop", "warn", "info"]


def test_a_photo_that_could_not_be_read_stops_until_it_is_left_out() -> None:
    pictures = [picture(i, view) for i, view in enumerate(VIEWS)]
    inspection = found(*pictures, refused=(Refused(7, "photo_damaged", "The photo is damaged."),))
    made = plan(inspection)
    assert codes(made) == {"photo_damaged": (7,)} and not made.may_start
    assert plan(inspection, left_out=[7]).problems == ()


def test_too_few_pictures_are_said_and_missing_views_too() -> None:
    fronts = [picture(i) for i in range(6)]
    made = plan(found(*fronts[:2]))
    assert not made.may_start and set(codes(made)) == {"too_few_pictures", "no_side", "no_back", "no_held_out"}
    made = plan(found(*fronts))
    assert made.may_start and {"few_pictures", "no_side", "no_back", "no_held_out"} == set(codes(made))
    assert set(codes(plan(found(*(picture(i, "back") for i in range(7)))))) == {"no_front", "no_side"}


def test_near_duplicates_are_said_only_while_both_are_taken() -> None:
    inspection = found(duplicates=((1, 2, 6),))
    assert codes(plan(inspection)) == {"near_duplicates": (1, 2, 6)}
    assert codes(plan(inspection, left_out=[2])) == {"near_duplicates": (1, 6), "few_pictures": (), "no_held_out": ()}
    assert "near_duplicates" not in codes(plan(inspection, left_out=[2, 6]))


def test_the_merchants_captions_and_choice_of_held_out_pictures_count() -> None:
    made = plan(found(), captions={3: "zkv17, mine"}, held_out=[4, 1])
    assert made.entries[3].caption == "zkv17, mine" and made.held_out == (1, 4)
    assert [one.index for one in made.entries if one.held_out] == [1, 4]
    for wrong in ({"captions": {9: "x"}}, {"left_out": [9]}, {"held_out": [-1]}):
        with pytest.raises(InputError) as caught:
            plan(found(), **wrong)
        assert caught.value.code == "picture_index_invalid"
    with pytest.raises(InputError):
        plan(found(), steps=0)


def test_only_what_is_trained_on_counts_as_coverage_buckets_and_sides() -> None:
    wide = [picture(i, view, size=(1200, 800) if i == 5 else (800, 1200)) for i, view in enumerate(VIEWS)]
    everybody, made = plan(found(*wide), held_out=[]), plan(found(*wide), held_out=[5, 0])
    assert [bucket.pictures for bucket in everybody.buckets] == [(0, 1, 2, 3, 4, 6), (5,)]
    assert [bucket.pictures for bucket in made.buckets] == [(1, 2, 3, 4, 6)]
    assert (made.entries[5].width, made.entries[5].height) == (192, 128)  # what is compared with has its own shape
    assert made.coverage == {"front": 3, "side": 2, "back": 0, "unsure": 0}
    assert "no_back" in codes(made) and "no_back" not in codes(everybody)
    assert made.passes == pytest.approx(400 / (3 + 2 * 2), abs=0.01)


def test_what_is_held_out_is_no_copy_of_what_is_trained_and_takes_no_view_away() -> None:
    views = ["front"] * 8 + ["side"] * 5 + ["back"] * 2
    pictures = [picture(i, view) for i, view in enumerate(views)]
    assert hold_out(pictures, ()) == (0, 8)
    assert hold_out(pictures, ((0, 5), (8, 9))) == (1, 10)
    flawed = [replace(one, sharpness=-2.0) if one.index < 3 else one for one in pictures]
    assert hold_out(flawed, ()) == (3, 8)
    bare = [replace(one, mask=None) for one in pictures]
    assert hold_out(bare, ()) == ()
    assert len(hold_out([picture(i) for i in range(100)], ())) == 4
    only = [picture(i, view) for i, view in enumerate(["front"] * 6 + ["back"])]
    assert hold_out(only, ()) == (0,)


def test_trigger_and_captions_are_held_against_the_text_encoder() -> None:
    encoder = words_of(Path(studio.mini.__file__).parent / "weights" / "tokenizer")
    assert plan(found(), encoder=encoder).problems == ()
    words = [picture(i, view, caption="a coat, front view") for i, view in enumerate(VIEWS)]
    assert "trigger_is_a_word" in codes(plan(found(*words, trigger="coat"), encoder=encoder))
    long = [picture(i, view) for i, view in enumerate(VIEWS)]
    long[4] = replace(long[4], caption=", ".join([long[4].caption] * 3))
    assert codes(plan(found(*long), encoder=encoder)) == {"caption_too_long": (4,)}


def test_an_inspection_is_stored_and_planned_again_without_a_picture() -> None:
    crops = (CropProposal((0, 0, 10, 20), True, 0.9, True),)
    pictures = [picture(i, view) for i, view in enumerate(VIEWS)]
    pictures[5] = replace(pictures[5], people=2, crops=crops, mask=None, mask_by="", showing=None, likeness=None)
    inspection = found(*pictures, refused=(Refused(7, "photo_empty", "Nothing."),), duplicates=((0, 1),))
    stored = json.loads(json.dumps(to_json(inspection)))
    again = from_json(stored)
    assert again == replace(inspection, pictures=tuple(replace(p, mask=b"" if p.mask else None) for p in pictures))
    assert plan(again) == plan(inspection)
    for broken in ({}, {**stored, "pictures": [{}]}, {**stored, "refused": 3}):
        with pytest.raises(InputError) as caught:
            from_json(broken)
        assert caught.value.code == "inspection_invalid"
