"""A plan in JSON: in and out again, and every kind of nonsense with its code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from studio.errors import InputError
from studio.lora.plan_checks import RULES
from studio.lora.plans import plan_for
from studio.lora.types import Plan

GOOD = json.loads(Plan("mini", "zkx").to_json())


def test_a_plan_survives_json() -> None:
    plan = plan_for("sdxl", pictures=9, trigger="zkx", gpu=True, tasks=(1.0, 0.0, 2.0, 0.5), min_snr_gamma=None)
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(json.loads(plan.to_json())) == plan


def test_every_field_is_checked_but_those_checked_by_hand() -> None:
    assert set(Plan.__dataclass_fields__) - RULES.keys() == {"family", "trigger", "tasks"}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"rank": 0}, "plan_field_invalid", "rank"),
        ({"rank": 129}, "plan_field_invalid", "rank"),
        ({"rank": True}, "plan_field_invalid", "rank"),
        ({"rank": 4.0}, "plan_field_invalid", "rank"),
        ({"steps": "100"}, "plan_field_invalid", "steps"),
        ({"learning_rate": float("nan")}, "plan_field_invalid", "learning_rate"),
        ({"learning_rate": None}, "plan_field_invalid", "learning_rate"),
        ({"optimizer": "sgd"}, "plan_field_invalid", "optimizer"),
        ({"modules": ["attention"]}, "plan_field_invalid", "modules"),
        ({"flip": 1}, "plan_field_invalid", "flip"),
        ({"width": 500}, "plan_field_invalid", "width"),
        ({"width": 544, "bucket_step": 64}, "plan_field_invalid", "width"),
        ({"bucket_step": 12}, "plan_field_invalid", "bucket_step"),
        ({"warmup_steps": 101, "steps": 100}, "plan_field_invalid", "warmup_steps"),
        ({"tasks": [1, 2, 3]}, "plan_field_invalid", "tasks"),
        ({"tasks": [0, 0, 0, 0]}, "plan_field_invalid", "tasks"),
        ({"tasks": [1, 0, 0, -1]}, "plan_field_invalid", "tasks"),
        ({"trigger": "two words"}, "plan_field_invalid", "trigger"),
        ({"trigger": "<lora:x:1>"}, "plan_field_invalid", "trigger"),
        ({"family": ""}, "plan_field_invalid", "family"),
        ({"epochs": 3}, "plan_field_unknown", "epochs"),
    ],
)
def test_nonsense_is_refused_by_name(change: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json({**GOOD, **change})
    assert caught.value.code == code
    assert field in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json(text)
    assert caught.value.code == "plan_unreadable"


def test_a_plan_without_a_trigger_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json('{"family": "mini"}')
    assert caught.value.code == "plan_field_missing"


def test_defaults_follow_the_family() -> None:
    mini, real, large = (plan_for(name, pictures=7, trigger="zkx") for name in ("mini", "sd15", "sdxl"))
    assert (mini.width, mini.height, real.width, large.width) == (128, 192, 512, 1024)
    assert plan_for("sd15", pictures=40, trigger="zkx").steps > real.steps
    assert plan_for("sd15", pictures=7, trigger="zkx", gpu=True).precision == "bf16"
    assert plan_for("mini", pictures=7, trigger="zkx", optimizer="prodigy").learning_rate == 1.0
    with pytest.raises(InputError) as caught:
        plan_for("mini", pictures=0, trigger="zkx")
    assert caught.value.code == "pictures_missing"
