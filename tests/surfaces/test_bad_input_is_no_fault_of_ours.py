"""Whatever a program sends, it is told what is wrong with it: nothing becomes a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from accounts.scoping import unscoped
from generation.models import Shoot
from generation.surfaces import waiting
from tests.surfaces.conftest import Caller, shoots_of
from tests.surfaces.test_each_shop_for_itself import Held, in_background

pytestmark = pytest.mark.django_db(transaction=True)

OBJECTS = (
    "sam/sam-predict", "sam/dilate-mask", "sam/upload", "sdapi/v1/options", "sdapi/v1/png-info", "internal/progress",
    "controlnet/detect", "sdapi/v1/txt2img", "sdapi/v1/extra-single-image", "sdapi/v1/extra-batch-images",
)  # fmt: skip


def raw(caller: Caller, path: str, data: bytes) -> Any:
    headers = {"Authorization": f"Bearer {caller.shop.key}"}
    return requests.post(f"{caller.url}/{path}", data=data, headers=headers, timeout=60)


def test_a_list_is_no_body_but_for_the_one_that_draws(alice: Caller) -> None:
    answers = {path: alice.post(path, [{}]) for path in OBJECTS}
    assert {path: one.json()["errors"] for path, one in answers.items()} == dict.fromkeys(OBJECTS, "bad_body")
    assert alice.post("controlnet/render_openpose_json", [{}]).json()["errors"].startswith("skeleton_without_canvas")


@pytest.mark.parametrize("text", ["a\0b", "\ud83d", "\ude00x"])
def test_what_a_database_can_not_keep_is_refused_wherever_it_stands(alice: Caller, text: str) -> None:
    for path, body in (
        ("sdapi/v1/txt2img", {"prompt": text}),
        ("sdapi/v1/txt2img", {"alwayson_scripts": {"x": [{text: 1}]}}),
        ("sdapi/v1/txt2img", {text: 1}),
        ("sam/upload", {"name": text}),
    ):
        answer = alice.post(path, body)
        assert answer.status_code == 422 and answer.json()["errors"].startswith("text_unstorable"), (path, body)
    assert alice.post("sdapi/v1/txt2img", {"prompt": text}).json()["errors"] == "text_unstorable: prompt"
    assert shoots_of(alice.shop) == []


def test_whole_pairs_are_text_and_other_damage_is_no_json(alice: Caller, painter: Any) -> None:
    assert alice.txt2img(prompt="a \U0001f45c bag").status_code == 200  # escaped as a pair, as Python's json does
    for data in (b'{"prompt": "\xed\xa0\x80"}', b'{"prompt": "\xff"}', b'{"a": 1e999}', b'{"steps": ' + b"9" * 5000):
        answer = raw(alice, "sdapi/v1/txt2img", data)
        assert (answer.status_code, answer.json()["errors"]) == (422, "bad_body")


def test_a_body_of_many_levels_is_refused(alice: Caller) -> None:
    for depth in (300, 900, 980):
        body = b'{"prompt": "\\u0000", "x": ' + b"[" * depth + b"]" * depth + b"}"
        assert raw(alice, "sdapi/v1/txt2img", body).status_code == 422
        assert raw(alice, "sdapi/v1/options", b'{"x": ' + b"[" * depth + b"]" * depth + b"}").status_code in (400, 422)


def test_who_waits_for_what_is_deleted_is_told_so(alice: Caller, painter: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(waiting, "RELOOK", 0.1)
    painter.script = held = Held()
    thread, found = in_background(lambda: alice.txt2img())
    held.begun.acquire()
    with unscoped("test"):
        Shoot.objects.filter(merchant=alice.shop.merchant).delete()
    thread.join(60)
    held.go.set()
    assert found[0].status_code == 410 and json.loads(found[0].text)["errors"] == "work_gone"
    assert len(waiting.places) == 0
