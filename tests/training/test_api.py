"""Training over REST, as docs/api.md says it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import LedgerEntry
from accounts.scoping import merchant_scope
from tests.api.conftest import Program, error_of, program_of
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, checked, new_set, ordered, trained
from training.models import AdapterUpload, AdapterVersion, Comparison, Training, TrainingSet

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def shop(atelier: Any) -> Program:
    """A program of the atelier."""
    cache.clear()
    return program_of(atelier.merchant, atelier.actor.user)


@pytest.fixture
def foreign(bazaar: Any) -> Program:
    """A program of another shop."""
    return program_of(bazaar.merchant, bazaar.actor.user)


def test_the_guides_way_from_a_garment_to_a_shoot_that_wears_it(atelier, executor, shop):
    """The snippet of the page, its waiting done by carrying out."""
    from catalog.services.shared_library import seed_library
    from tests.generation import scripted as painting

    seed_library()
    section = GUIDE.split("\n## Training\n")[1].split("\n## ")[0]
    (program,) = re.findall(r"^```text\n(.*?)^```", section, flags=re.S | re.M)
    lanes = iter(["light", "train"])

    def call(method: str, path: str, json: Any = None, headers: Any = None) -> Any:
        answer = shop(method.lower(), f"/api/v1{path}", json, **(headers or {}))
        assert answer.status_code < 300, answer.content
        return answer.json()

    class Clock:
        @staticmethod
        def sleep(_seconds: float) -> None:
            carry_out_next(next(lanes))

    names = {"garment": {"id": str(atelier.garment.pk)}, "photo": {"id": str(atelier.photos[0].pk)}}
    exec(program, {"call": call, "time": Clock, **names})  # noqa: S102  # our own page

    carry_out_next("generate")
    executor["generate"].script = painting.paints
    carry_out_next("generate")
    version = all_of(AdapterVersion)[0]
    assert executor["generate"].asked[-1]["order"]["outfit"] == f"{version.trigger} dress"


def test_a_key_makes_one_training_and_a_dry_run_none(atelier, executor, shop):
    found = new_set(atelier)
    checked(atelier, found)
    body = {"set": str(found.pk), "steps": 50}
    told = shop.post("trainings", {**body, "dry_run": True}).json()
    assert (told["price"], told["steps"], told["pictures"], told["affordable"]) == (9, 50, 7, True)
    assert all_of(Training) == []
    first, second = (shop.post("trainings", body, once="k1") for _n in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    assert second["Idempotent-Replayed"] == "true"
    assert [entry.kind for entry in all_of(LedgerEntry)].count("hold") == 1
    assert first["Location"] == f"/api/v1/trainings/{first.json()['id']}"


def test_pictures_are_changed_all_of_them_or_none(atelier, executor, shop):
    made = shop.post("training-sets", {"garment": str(atelier.garment.pk)}).json()
    first, second = made["pictures"][:2]
    changes = [{"id": first["id"], "caption": "mine"}, {"id": second["id"], "left_out": True, "view": "back"}]
    told = shop.post(f"training-sets/{made['id']}/pictures", {"pictures": changes}).json()
    assert (told["pictures"][0]["caption"], told["pictures"][1]["left_out"]) == ("mine", True)
    assert told["edition"] > made["edition"]
    wrong = [{"id": first["id"], "caption": "other"}, {"id": "01a20613-63fd-7cbb-8c10-9d288b061a4a"}]
    answer = shop.post(f"training-sets/{made['id']}/pictures", {"pictures": wrong})
    assert (answer.status_code, error_of(answer)["field"]) == (404, "pictures")
    assert shop.get(f"training-sets/{made['id']}").json()["pictures"][0]["caption"] == "mine"


def test_a_set_that_was_not_checked_is_refused(atelier, executor, shop):
    from training.services import sets

    found = new_set(atelier)
    answer = shop.post("trainings", {"set": str(found.pk)})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "captions_missing")
    checked(atelier, found)
    with merchant_scope(atelier.merchant):
        sets.touch(found)
    answer = shop.post("trainings", {"set": str(found.pk)})
    assert (answer.status_code, error_of(answer)["code"]) == (409, "check_first")


def test_files_and_curves_come_with_addresses_that_open(atelier, executor, shop):
    training = trained(atelier)
    checkpoints = shop.get(f"trainings/{training.pk}/checkpoints").json()
    assert [one["step"] for one in checkpoints] == [10, 20, 30]
    answer = Client().get(checkpoints[1]["url"])
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == scripted.adapter_bytes(20)
    curves = shop.get(f"trainings/{training.pk}/curves").json()
    assert len(curves["samples"]) == 3 and curves["log"][0]["words"]
    told = shop.get(f"trainings/{training.pk}").json()
    assert told["choice"]["best"] == 20 and told["choice"]["words"]


def test_a_grid_is_ordered_read_and_overruled(atelier, executor, shop):
    training = trained(atelier)
    carry_out_next("generate")
    axes = [{"name": "weight", "values": [0.5, 1.0]}]
    made = shop.post("comparisons", {"training": str(training.pk), "axes": axes})
    assert (made.status_code, made.json()["price"]) == (202, 2)
    carry_out_next("generate")
    told = shop.get(f"comparisons/{made.json()['id']}").json()
    assert (told["status"], told["best"], len(told["cells"])) == ("succeeded", 0, 2)
    assert told["sheet"] and told["csv"]
    picked = shop.post(f"comparisons/{told['id']}/pick", {"cell": 1}).json()
    assert (picked["best"], picked["picked"]) == (0, 1)
    wrong = shop.post("comparisons", {"training": str(training.pk), "axes": axes * 2})
    assert error_of(wrong)["code"] == "grid_axes_invalid"
    many = [{"name": "seed", "values": list(range(200))}]
    assert shop.post("comparisons", {"training": str(training.pk), "axes": many}).status_code == 400


@pytest.mark.parametrize(
    ("axis", "value", "code"),
    [
        ("weight", {}, "weight_out_of_range"),
        ("checkpoint", [1], "grid_checkpoint_unknown"),
        ("checkpoint", True, "grid_checkpoint_unknown"),
        ("sampler", 5, "unknown_sampler"),
        ("sampler", "no-such", "unknown_sampler"),
        ("seed", 1.5, "seed_out_of_range"),
        ("steps", True, "steps_out_of_range"),
        ("prompt", "a\x00b", "prompt_invalid"),
        ("prompt", ["a"], "prompt_invalid"),
        ("colour", [{}], "grid_axis_unknown"),
    ],
)
def test_a_grid_of_values_that_can_not_be_painted_is_refused(atelier, executor, shop, axis, value, code):
    training = trained(atelier)
    answer = shop.post("comparisons", {"training": str(training.pk), "axes": [{"name": axis, "values": [value]}]})
    assert answer.status_code == 400  # an unknown name is refused before it is looked at
    assert code == "grid_axis_unknown" or error_of(answer)["code"] == code


def test_a_grid_takes_samplers_names_in_any_case(atelier, executor, shop):
    training = trained(atelier)
    axes = [{"name": "sampler", "values": ["UniPC", "dpm++ 2m karras"]}, {"name": "checkpoint", "values": [10]}]
    assert shop.post("comparisons", {"training": str(training.pk), "axes": axes}).status_code == 202


def test_versions_are_promoted_rolled_back_and_retrained(atelier, executor, shop):
    training = trained(atelier)
    version = shop.post(f"trainings/{training.pk}/choose", {"step": 30, "note": "later"}).json()
    assert (version["number"], version["promoted"], version["note"]) == (2, False, "later")
    adapter = version["adapter"]
    told = shop.post(f"adapters/{adapter}/promote", {"version": version["id"]}).json()
    assert [one["promoted"] for one in told["versions"]] == [True, False]
    told = shop.post(f"adapters/{adapter}/rollback", {}).json()
    assert [one["promoted"] for one in told["versions"]] == [False, True]
    assert error_of(shop.post(f"adapters/{adapter}/rollback", {}))["code"] == "nothing_before"
    changed = shop("patch", f"adapter-versions/{version['id']}", {"weight": 0.7}).json()
    assert changed["weight"] == 0.7
    assert shop.post(f"adapter-versions/{version['id']}/retrain").status_code == 201
    assert len(all_of(TrainingSet)) == 2


def test_an_adapter_is_brought_along(atelier, executor, shop):
    from django.core.files.uploadedfile import SimpleUploadedFile

    client = Client(headers={"Authorization": f"Bearer {shop.key}"})
    file = SimpleUploadedFile("mine.safetensors", scripted.adapter_bytes())
    answer = client.post("/api/v1/adapters/upload", {"file": file, "garment": str(atelier.garment.pk)})
    assert answer.status_code == 202
    carry_out_next("light")
    told = shop.get(f"adapter-uploads/{answer.json()['id']}").json()
    assert (told["status"], told["error"]["code"]) == ("failed", "adapter_base_unknown")
    answer = client.post("/api/v1/adapters/upload", {"file": SimpleUploadedFile("a.safetensors", b"PK\x03\x04zip")})
    assert error_of(answer)["code"] == "pickle_refused"
    assert len(all_of(AdapterUpload)) == 1


def test_what_is_anothers_is_as_missing_as_none(atelier, bazaar, executor, shop, foreign):
    training = trained(atelier)
    carry_out_next("generate")
    version, grid = all_of(AdapterVersion)[0], all_of(Comparison)[0]
    missing = foreign.get("trainings/01a20613-63fd-7cbb-8c10-9d288b061a4a").json()["error"]["code"]
    for path in (
        f"trainings/{training.pk}", f"trainings/{training.pk}/checkpoints", f"training-sets/{training.set_id}",
        f"comparisons/{grid.pk}", f"adapters/{version.adapter_id}", f"adapter-versions/{version.pk}",
    ):  # fmt: skip
        answer = foreign.get(path)
        assert (answer.status_code, error_of(answer)["code"]) == (404, missing), path
    for name in ("trainings", "training-sets", "comparisons", "adapters", "adapter-versions"):
        assert foreign.get(name).json()["items"] == []
    body = {"training": str(training.pk), "axes": [{"name": "seed", "values": [1]}]}
    assert error_of(foreign.post("comparisons", body))["field"] == "training"
    assert error_of(foreign.post("trainings", {"set": str(training.set_id)}))["field"] == "set"


def test_a_read_key_steers_nothing(atelier, executor):
    training = ordered(atelier)
    reader = program_of(atelier.merchant, atelier.actor.user, scope="read")
    assert reader.get(f"trainings/{training.pk}").status_code == 200
    assert reader.post(f"trainings/{training.pk}/stop").status_code == 403
