"""A side that few photos show is seen more often: the check works out how often, the trainer does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.generation.scripted import Link
from tests.training import scripted
from tests.training.conftest import Atelier, all_of, ordered
from tests.training.conftest import carry_out_next as carry_out
from training.models import Preflight

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_checks_repeats_reach_the_trainer(atelier: Atelier, executor: Any) -> None:
    seen: dict[str, list[tuple[bool, int]]] = {}

    def looks(link: Link, message: dict[str, Any]) -> None:
        from studio.dataset.folders import read_folder

        for entry in read_folder(Path(message["dataset"])).entries:
            seen.setdefault(entry.view, []).append((entry.held_out, entry.repeats))
        scripted.trains(link, message)

    executor["train"].script = looks
    training = ordered(atelier)
    (look,) = all_of(Preflight)
    assert [one["repeats"] for one in look.found["pictures"]] == [1, 1, 1, 2, 2, 3, 1]
    assert [one["repeats"] for one in training.order["entries"]] == [1, 1, 1, 2, 2, 3, 1]
    carry_out()
    assert {view: sorted(found) for view, found in seen.items()} == {
        "front": [(False, 1)] * 3,
        "side": [(False, 2)] * 2,
        "back": [(False, 3), (True, 1)],  # who is held out is not learned from
    }
