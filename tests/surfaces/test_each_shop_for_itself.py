"""Two shops at once: keys, LoRAs, progress and options of one are nothing to the other."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
from catalog.models import Garment
from generation.models import Picture, SurfaceOptions
from imodel_site.lib import storage
from tests.generation import scripted
from tests.surfaces.conftest import Caller, Shop, client_of, shoots_of
from training.models import Adapter, AdapterVersion

pytestmark = pytest.mark.django_db(transaction=True)


def adapter_of(shop: Shop, name: str) -> AdapterVersion:
    """A trained garment in use; its file is a file of the shop's."""
    with merchant_scope(shop.merchant):
        garment = Garment.objects.create(name=name, search=name.lower())
        key = storage.put(storage.new_key(shop.merchant.pk, "adapters", "safetensors"), b"weights")
        adapter = Adapter.objects.create(garment=garment, family="mini", name=name)
        return AdapterVersion.objects.create(
            adapter=adapter, number=1, key=key, sha256="ab" * 32, trigger=f"{name[:3].lower()}dress", promoted=True
        )


def warnings_of(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.json()["info"])["warnings"]


def test_a_lora_is_found_by_its_own_shop_alone(alice: Caller, charlie: Caller, painter: Any) -> None:
    mine, theirs = adapter_of(alice.shop, "Poppy"), adapter_of(charlie.shop, "Secret")
    [listed] = alice.get("sdapi/v1/loras").json()
    assert listed["alias"] == "popdress" and "Secret" not in alice.get("sdapi/v1/loras").text
    assert "/" not in listed["path"]

    for name in (listed["name"], "popdress", str(mine.adapter_id)):
        assert warnings_of(alice.txt2img(prompt=f"a dress <lora:{name}:0.7>")) == []
        request = painter.asked[-1]["request"]
        assert request["prompt"] == "a dress" and request["adapters"][0][1] == 0.7
    [foreign] = charlie.get("sdapi/v1/loras").json()
    for name in (foreign["name"], "secdress", str(theirs.adapter_id), "nobody"):
        assert warnings_of(alice.txt2img(prompt=f"a dress <lora:{name}:1>")) == [f"Networks not found: {name}"]
        assert "adapters" not in painter.asked[-1]["request"]
    said = warnings_of(alice.txt2img(prompt="<lora:popdress:1> (word:1.3)", disable_extra_networks=True))
    assert ["disabled" in said[0], "emphasis" in said[1]] == [True, True]


def test_options_are_the_keys_own(alice: Caller, charlie: Caller, painter: Any, bazaar: Shop) -> None:
    assert alice.post("sdapi/v1/options", {"CLIP_stop_at_last_layers": 3, "sd_model_checkpoint": "Mini"}).json() is None
    with merchant_scope(alice.shop.merchant):
        about = {"name": "b", "scope": "write", "store": "", "live": True, "lifetime": None}
        other = make_key(merchant=alice.shop.merchant, by=alice.shop.owner, **about).text
    assert alice.get("sdapi/v1/options").json()["CLIP_stop_at_last_layers"] == 3
    assert alice.get("sdapi/v1/options", key=other).json()["CLIP_stop_at_last_layers"] == 1
    assert charlie.get("sdapi/v1/options").json()["CLIP_stop_at_last_layers"] == 1
    alice.txt2img(), charlie.txt2img()
    assert [message["request"]["clip_skip"] for message in painter.asked] == [3, 1]

    alice.txt2img(override_settings={"CLIP_stop_at_last_layers": 2})
    assert alice.get("sdapi/v1/options").json()["CLIP_stop_at_last_layers"] == 3
    alice.txt2img(override_settings={"CLIP_stop_at_last_layers": 2}, override_settings_restore_afterwards=False)
    assert alice.get("sdapi/v1/options").json()["CLIP_stop_at_last_layers"] == 2
    whole = alice.get("sdapi/v1/options").json()
    assert alice.post("sdapi/v1/options", whole).status_code == 200, "what was given is taken back"
    for wrong in ({"nonsense": 1}, {"sd_vae": "other.pt"}, {"sd_model_checkpoint": "sdxl-secret"}):
        assert alice.post("sdapi/v1/options", wrong).status_code in (400, 404)
    with unscoped("test"):
        assert SurfaceOptions.objects.count() == 1


class Held:
    """A script that paints when it is let."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Event()

    def __call__(self, link: Any, message: dict[str, Any]) -> None:
        link.say("progress", stage="painting", fraction=0.5)
        self.begun.release()
        assert self.go.wait(60)
        scripted.paints(link, message)


def in_background(call: Any) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    return thread, found


def until(holds: Any) -> Any:
    """What ``holds()`` gives, once it gives something."""
    pause = threading.Event()
    for _try in range(600):
        if found := holds():
            return found
        pause.wait(0.1)
    raise AssertionError("it never came")


def test_progress_is_of_the_key_that_asks(alice: Caller, charlie: Caller, painter: Any, live_server: Any) -> None:
    painter.script = held = Held()
    thread, found = in_background(lambda: alice.txt2img(force_task_id="task(mine)", steps=4))
    held.begun.acquire()
    mine = until(lambda: (now := alice.get("sdapi/v1/progress").json())["progress"] > 0.3 and now)
    assert mine["state"]["job_count"] == 1 and mine["state"]["sampling_steps"] == 4
    assert mine["state"]["sampling_step"] == 2
    task = alice.post("internal/progress", {"id_task": "task(mine)"}).json()
    assert (task["active"], task["queued"], task["completed"]) == (True, False, False)

    api = client_of(live_server.url, charlie.shop)
    assert api.get_progress()["progress"] == 0.0 and api.get_progress()["state"]["job_count"] == 0
    api.util_wait_for_ready(check_interval=0.1)
    assert api.interrupt() == {}
    foreign = charlie.post("internal/progress", {"id_task": "task(mine)"}).json()
    assert (foreign["active"], foreign["completed"], foreign["progress"]) == (False, False, None)
    held.go.set()
    thread.join(60)
    assert found[0].status_code == 200 and len(found[0].json()["images"]) == 1
    assert alice.post("internal/progress", {"id_task": "task(mine)"}).json()["completed"] is True
    assert alice.get("internal/pending-tasks").json() == alice.get("internal/pendingTasks").json()


def test_interrupting_ends_ones_own_work(alice: Caller, painter: Any) -> None:
    began = threading.Semaphore(0)

    def waits(link: Any, message: dict[str, Any]) -> None:
        began.release()
        scripted.waits_for_cancel(link, message)

    painter.script = waits
    thread, found = in_background(lambda: alice.txt2img())
    began.acquire()
    assert alice.post("sdapi/v1/interrupt").json() == {}
    thread.join(60)
    assert found[0].status_code == 200 and found[0].json()["images"] == []
    assert "interrupted" in warnings_of(found[0])[0]
    assert [shoot.status for shoot in shoots_of(alice.shop)] == ["cancelled"]


def test_two_shops_at_once_get_their_own_pictures(alice: Caller, charlie: Caller, painter: Any) -> None:
    calls = [in_background(lambda who=who, n=n: who.txt2img(seed=n)) for n, who in enumerate((alice, charlie) * 3)]
    for thread, _found in calls:
        thread.join(90)
    seeds = [json.loads(found[0].json()["info"])["seed"] for _thread, found in calls]
    assert seeds == [0, 1, 2, 3, 4, 5]
    with unscoped("test"):
        assert {p.seed for p in Picture.objects.filter(merchant=alice.shop.merchant)} == {0, 2, 4}


def test_what_the_first_look_flagged_is_held_back_and_said(alice: Caller, painter: Any) -> None:
    def flags_the_second(link: Any, message: dict[str, Any]) -> None:
        for event in scripted.shots(message, Path(message["out"])):
            finding = {
                "flagged": event["index"] == 1,
                "checker": "test",
                "reasons": [{"code": "much_skin", "score": 1}],
            }
            link.say("shot", **event, finding=finding)
        link.say("done", timings={}, files={})

    painter.script = flags_the_second
    answer = alice.txt2img(batch_size=2)
    assert len(answer.json()["images"]) == 1 and "held back" in warnings_of(answer)[0]
    assert json.loads(answer.json()["info"])["all_seeds"] == [7]


# --- the door ---------------------------------------------------------------------------------------------------------
def test_a_key_opens_as_name_and_password_or_as_bearer(live_server: Any, atelier: Shop) -> None:
    url, key = f"{live_server.url}/sdapi/v1/samplers", atelier.key
    pairs = [(key[:21], key[21:]), (key[9:21], key[21:]), ("anybody", key)]
    assert [requests.get(url, auth=pair, timeout=60).status_code for pair in pairs] == [200] * 3
    for wrong in ((key[:21], key[21:-1] + "x"), ("a", "b"), ("", "")):
        answer = requests.get(url, auth=wrong, timeout=60)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Basic")
    bare = requests.get(url, timeout=60)
    assert bare.status_code == 401 and bare.json()["detail"] == "Incorrect username or password"
    basic = base64.b64encode(f"{key[:21]}:{key[21:]}".encode()).decode()
    api = requests.get(f"{live_server.url}/api/v1/shoots", headers={"Authorization": f"Basic {basic}"}, timeout=60)
    assert api.status_code == 401, "the REST API takes Bearer only"


def test_a_read_key_lists_and_generates_nothing(alice: Caller, painter: Any) -> None:
    key = alice.shop.read_key
    for path in ("sdapi/v1/sd-models", "sdapi/v1/progress", "sdapi/v1/options", "sam/sam-model", "controlnet/version"):
        assert alice.get(path, key=key).status_code == 200
    for path in ("txt2img", "img2img", "interrupt", "skip", "options", "extra-single-image"):
        answer = alice.post(f"sdapi/v1/{path}", {"prompt": "x"}, key=key)
        assert answer.status_code == 403 and answer.json()["errors"] == "read_only_key"
    assert alice.post("sam/sam-predict", {}, key=key).status_code == 403
    assert shoots_of(alice.shop) == []


def test_a_revoked_key_and_a_suspended_shop_are_refused(alice: Caller, painter: Any) -> None:
    from accounts.models import ApiKey, Merchant

    with unscoped("test"):
        Merchant.objects.filter(pk=alice.shop.merchant.pk).update(status=Merchant.Status.SUSPENDED)
    assert alice.txt2img().status_code == 403
    with unscoped("test"):
        Merchant.objects.filter(pk=alice.shop.merchant.pk).update(status=Merchant.Status.ACTIVE)
        ApiKey.objects.update(revoked_at="2020-01-01T00:00Z")
    assert alice.txt2img().status_code == 401


def test_what_is_no_json_and_what_is_too_large_is_said_in_the_same_shape(live_server: Any, atelier: Shop) -> None:
    headers = {"Authorization": f"Bearer {atelier.key}"}
    url = f"{live_server.url}/sdapi/v1/txt2img"
    for data in (b"{", b'"text"', b"[" * 100_000, b'{"steps": NaN}'):
        answer = requests.post(url, data=data, headers=headers, timeout=60)
        assert answer.status_code == 422 and set(answer.json()) == {"error", "detail", "body", "errors"}
    assert float(answer.headers["X-Process-Time"]) >= 0
