"""A task that was ordered is collected by its own words, whatever became of what it was made from; refused calls leave
nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.scoping import unscoped
from generation.models import Picture, Shoot
from generation.surfaces import pictures
from generation.surfaces.a1111 import ordering
from imodel_site.lib import fetch, storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.model import Status
from tests.generation import scripted
from tests.surfaces.conftest import Caller, half, photo, shoots_of
from tests.surfaces.test_each_shop_for_itself import Held, adapter_of, in_background, until
from tests.surfaces.test_every_parameter_counts import info, plot, refused, text_of, unit
from training.models import AdapterVersion

pytestmark = pytest.mark.django_db(transaction=True)


def files_of(caller: Caller) -> list[str]:
    return [file.key for file in storage.private().listed(f"m/{caller.shop.merchant.pk}/orders/")]


def test_a_task_is_collected_though_its_address_its_lora_and_its_weights_are_gone(
    alice: Caller, painter: Any, monkeypatch: Any
) -> None:
    adapter_of(alice.shop, "Poppy")
    sent = pictures.png(photo())
    monkeypatch.setattr(fetch.Fetcher, "fetch", lambda self, url: sent)
    asked = {
        "prompt": "a dress <lora:popdress:0.7>", "init_images": ["https://example.com/a.png"], "seed": -1, "eta": 0.3,
        "override_settings": {"sd_model_checkpoint": "mini"}, "force_task_id": "task(g)",
    }  # fmt: skip
    first = alice.img2img(**asked)

    def gone(self: Any, url: str) -> bytes:
        raise Refused("url_unreachable", "gone")

    monkeypatch.setattr(fetch.Fetcher, "fetch", gone)
    monkeypatch.setattr("generation.surfaces.a1111.options.generating_families", dict)
    with unscoped("test"):
        AdapterVersion.objects.update(promoted=False)
    files, second = files_of(alice), alice.img2img(**asked)
    assert second.status_code == 200 and second.json()["images"] == first.json()["images"]
    told, again = info(first), info(second)
    assert told.pop("job_timestamp") and again.pop("job_timestamp") and told == again
    assert "eta" in told["warnings"][0] and "Lora hashes" in told["extra_generation_params"]
    assert first.json()["parameters"] == second.json()["parameters"]
    assert files == files_of(alice) and len(shoots_of(alice.shop)) == 1
    assert refused(alice.img2img(**asked, steps=3))[1] == "idempotency_key_reused: force_task_id"


def test_a_plot_is_collected_as_it_was_drawn(alice: Caller, painter: Any) -> None:
    asked = {**plot((4, "1-3"), (7, "red, blue")), "force_task_id": "task(p)"}
    first, second = alice.txt2img(**asked), alice.txt2img(**asked)
    assert first.status_code == 200 and second.json()["images"] == first.json()["images"]


def test_a_refused_call_keeps_no_picture(alice: Caller, painter: Any, monkeypatch: Any) -> None:
    asked = {"init_images": [text_of(photo())], "mask": text_of(half()), "alwayson_scripts": unit()}
    assert refused(alice.img2img(**asked, inpainting_fill=9))[0] == 400
    kept: list[str] = []
    monkeypatch.setattr(ordering, "store_image", lambda **one: kept.append(one["key"]))
    monkeypatch.setattr("accounts.services.credits.balance", lambda merchant: 0)
    assert refused(alice.img2img(**asked))[1] == "credits_short" and kept == []
    monkeypatch.undo()

    def short(**order: Any) -> None:
        raise Refused("credits_short", "they went meanwhile", status=402)

    monkeypatch.setattr("generation.services.order_expert", short)
    assert refused(alice.img2img(**asked))[1] == "credits_short"
    assert files_of(alice) == [] and shoots_of(alice.shop) == []
    monkeypatch.undo()
    assert alice.img2img(**asked).status_code == 200 and len(files_of(alice)) == 3


# --- cells ------------------------------------------------------------------------------------------------------------
def test_a_cell_that_failed_is_blank_and_the_others_are_there(alice: Caller, painter: Any) -> None:
    def fails_at_two(link: Any, message: dict[str, Any]) -> None:
        script = scripted.fails("input", "a_code", retryable=False) if message["request"]["steps"] == 2 else None
        (script or scripted.paints)(link, message)

    painter.script = fails_at_two
    answer = alice.txt2img(**plot((4, "1-3"), flags=(False, True, False, False, False, False, False, 0)))
    assert "blank: a_code" in info(answer)["warnings"][0] and len(answer.json()["images"]) == 3
    sheet = pictures.opened(pictures.decoded(answer.json()["images"][0], field=""), field="")
    assert [sheet.getpixel((x, 40)) == (255, 255, 255) for x in (32, 96, 160)] == [False, True, False]
    painter.script = scripted.fails("input", "a_code", retryable=False)
    assert refused(alice.txt2img(**plot((4, "4-5")))) == (422, "a_code")


def test_progress_counts_the_cells_that_ended(alice: Caller, painter: Any) -> None:
    painter.script = held = Held()
    thread, found = in_background(lambda: alice.txt2img(**plot((4, "1-2"))))
    held.begun.acquire()
    until(lambda: alice.get("sdapi/v1/progress").json()["progress"] > 0.1)
    held.go.set()
    held.go = type(held.go)()
    held.begun.acquire()
    now = until(lambda: (now := alice.get("sdapi/v1/progress").json())["state"]["job_no"] == 1 and now)
    assert now["progress"] >= 0.5 and now["state"]["job_count"] == 2
    held.go.set()
    thread.join(60)
    assert found[0].status_code == 200


def test_only_what_runs_is_skipped(alice: Caller, settings: Any) -> None:
    settings.WAITERS = 0
    alice.txt2img(force_task_id="task(q)")  # nobody works
    assert alice.post("sdapi/v1/skip").status_code == 200
    assert [shoot.status for shoot in shoots_of(alice.shop)] == [Status.QUEUED]
    with unscoped("test"):
        Shoot.objects.update(status=Status.RUNNING)
    alice.post("sdapi/v1/skip")
    assert [shoot.cancel_requested_at is None for shoot in shoots_of(alice.shop)] == [False]


# --- wishes -----------------------------------------------------------------------------------------------------------
def test_wishes_about_the_second_pass_are_carried_out_or_said(alice: Caller, painter: Any) -> None:
    units = [*unit()["controlnet"]["args"], *unit(hr_option="Low res only")["controlnet"]["args"]]
    said = info(alice.txt2img(
        enable_hr=True, hr_scale=2, hr_upscaler="Lanczos", hr_prompt="silk <lora:a:1> (red:1.2)",
        hr_negative_prompt="dust <lora:b:1>", alwayson_scripts={"controlnet": {"args": units}},
    ))["warnings"]  # fmt: skip
    second = painter.asked[-1]["second"]
    assert (second["prompt"], second["negative_prompt"], second["controls"]) == ("silk  (red:1.2)", "dust", False)
    for words in ("hr_prompt: <lora:a> was left out", "hr_prompt: (word:1.2)", "hr_negative_prompt: <lora:b>", "Low"):
        assert any(words in warning for warning in said), (words, said)
    alone = {"controlnet": {"args": units[1:]}}
    assert info(alice.txt2img(enable_hr=True, hr_upscaler="Lanczos", alwayson_scripts=alone))["warnings"] == []


def test_what_detecting_can_not_do_is_said_or_refused(alice: Caller) -> None:
    asked = {"controlnet_module": "none", "controlnet_input_images": [text_of(photo())]}
    plain = alice.post("controlnet/detect", {**asked, "controlnet_masks": [], "controlnet_processor_res": -1}).json()
    assert (plain["info"], plain["warnings"]) == ("Success", [])
    said = alice.post("controlnet/detect", {**asked, "controlnet_processor_res": 512}).json()["warnings"]
    assert "controlnet_processor_res" in said[0]
    masked = alice.post("controlnet/detect", {**asked, "controlnet_masks": [text_of(half())]})
    assert refused(masked) == (422, "control_unsupported: controlnet_masks")


def test_pictures_that_were_deleted_are_missed(alice: Caller, painter: Any) -> None:
    asked = {"batch_size": 3, "force_task_id": "task(d)"}
    assert info(alice.txt2img(**asked))["warnings"] == []
    with unscoped("test"):
        first, second, _third = Picture.objects.order_by("index")
        Picture.objects.filter(pk=first.pk).update(deleted_at=timezone.now())
        storage.delete(second.files["full"]["key"])
    answer = alice.txt2img(**asked)
    assert len(answer.json()["images"]) == 1 and "2 of the 3 pictures" in info(answer)["warnings"][0]
