"""``inspect_set``: what a light executor says of a garment's photos, and what a training of them would be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.lora.plans import plan_for
from studio.mini.world import Garment, draw, random_spec
from studio.serve.client import JobError
from tests.studio.serve.conftest import Running

DRESS = Garment("dress", "red", "striped", "white", "long")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A prior picture, four of the dress (the second with the merchant's own words and mask), and one that is none."""
    folder = tmp_path_factory.mktemp("photos")
    found: list[dict[str, Any]] = []
    for k in range(5):
        spec = replace(random_spec(70 + k), full=DRESS, upper=None, lower=None, crop="head-to-toe", scene="grey studio")
        drawn = draw(spec, (300, 450))
        drawn.picture.save(folder / f"{k}.png")
        Image.fromarray(drawn.garment.astype(np.uint8) * 255).save(folder / f"{k}-mask.png")
        found.append({"path": str(folder / f"{k}.png")})
    found[0]["kind"] = "prior"
    found[2] |= {"mask": str(folder / "2-mask.png"), "caption": "zkv17 at the sea", "view": "back"}
    (folder / "none.png").write_text("no picture at all, though it is called one")
    return [*found, {"path": str(folder / "none.png")}]


def message(photos: list[dict[str, Any]], out: Path, **other: Any) -> dict[str, Any]:
    plan = json.loads(plan_for("mini", pictures=4, trigger="zkv17", steps=90).to_json())
    return {"op": "inspect_set", "id": "s", "photos": photos, "garment": {"category": "dress", "colour": "red"},
            "trigger": "zkv17", "family": "mini", "plan": plan, "out": str(out), **other}  # fmt: skip


def test_every_photo_is_answered_in_its_place(light: Running, photos: list[dict[str, Any]], tmp_path: Path) -> None:
    done = light.run(message(photos, tmp_path, seconds_per_step=0.5, setup_seconds=3))
    prior, first, own, *_, none = done["pictures"]
    assert [one["index"] for one in done["pictures"]] == [0, 1, 2, 3, 4, 5]
    assert prior["mask"] is prior["caption"] is prior["people"] is None
    assert "zkv17" in first["caption"] and first["people"] == 1
    assert first["caption"].endswith("grey studio")  # as the bundled world says it, not "grey background"
    size = Image.open(photos[1]["path"]).size
    assert Image.open(first["mask"]).size == size
    assert (own["caption"], own["view"], own["mask"]) == ("zkv17 at the sea", "back", None)
    assert none["mask"] is None and none["crops"] == []
    flight = done["preflight"]
    assert (flight["steps"], flight["seconds"]) == (90, 48)
    assert {index for bucket in flight["buckets"] for index in bucket["pictures"]} == {1, 2, 3, 4}
    assert any(5 in problem["pictures"] for problem in flight["problems"])


def test_whom_the_merchant_holds_out_is_held_out(light: Running, photos: list[dict[str, Any]], tmp_path: Path) -> None:
    asked = [{**photo, "held_out": n in (0, 3)} for n, photo in enumerate(photos)]  # the first is no garment's
    flight = light.run(message(asked, tmp_path))["preflight"]
    assert flight["held_out"] == [3]
    assert [entry["held_out"] for entry in flight["entries"]] == [False, False, True, False]
    assert {index for bucket in flight["buckets"] for index in bucket["pictures"]} == {1, 2, 4}
    assert sum(flight["coverage"].values()) == 3


def test_what_can_not_be_asked_is_refused(light: Running, photos: list[dict[str, Any]], tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"photos": []}, "dataset_empty"),
        ({"photos": photos[:1]}, "dataset_empty"),
        ({"photos": [{"path": "a.png"}]}, "photo_path_invalid"),
        ({"photos": [{**photos[1], "kind": "other"}]}, "photo_kind_invalid"),
        ({"photos": [{**photos[1], "view": "above"}]}, "view_unknown"),
        ({"photos": [{**photos[1], "held_out": 1}]}, "photo_held_out_invalid"),
        ({"trigger": "two words"}, "trigger_invalid"),
        ({"plan": None}, "message_plan_invalid"),
        ({"mood": 1}, "message_field_unknown"),
    ]
    for change, code in wrong:
        with pytest.raises(JobError) as caught:
            light.run({**message(photos, tmp_path), **change})
        assert (caught.value.kind, caught.value.code) == ("input", code), change


def test_a_cancel_is_heard_between_two_photos(light: Running, photos: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        light.run(message(photos, tmp_path), should_cancel=lambda: bool(light.told("progress")))
    assert caught.value.code == "cancelled"
    assert list(tmp_path.iterdir()) == []
