"""The wizard, the live page, the grid and the versions, without a script and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.scoping import merchant_scope, unscoped
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, checked, fresh, new_set, ordered, trained
from training.models import Adapter, AdapterVersion, Comparison, Training, TrainingPicture, TrainingSet

pytestmark = pytest.mark.django_db(transaction=True)


def address(name: str, *args: Any) -> str:
    return reverse(f"training:{name}", args=args)


def form_of(found: TrainingSet, **changes: str) -> dict[str, str]:
    """What the set's page sends when nothing was touched, but for the changes."""
    sent = {"trigger": found.trigger}
    for picture in all_of(TrainingPicture, set=found):
        name = picture.pk.hex
        sent |= {f"shown-{name}": "1", f"caption-{name}": picture.caption, f"view-{name}": picture.view}
        sent |= {f"kind-{name}": picture.kind, f"use-{name}": "1"}
        sent |= {f"held-{name}": "1"} if picture.held_out else {}
    return {key: value for key, value in {**sent, **changes}.items() if value != "-"}


def test_the_whole_way_from_a_garment_to_a_shoot(alice, atelier, executor):
    answer = alice.post(address("new"), {"garment": atelier.garment.pk})
    found = all_of(TrainingSet)[0]
    assert answer["Location"] == address("set", found.pk)
    page = alice.get(answer["Location"])
    assert "disabled" in page.content.decode() and 'data-progress="' in page.content.decode()

    carry_out_next("light")
    page = alice.get(address("set", found.pk)).content.decode()
    assert f"{found.trigger} dress, picture 3" in page
    assert "Two people." in page and "Cut it in two." in page
    assert "Cut into 2 pictures" in page

    answer = alice.post(address("set_start", found.pk), {"effort": "quick", "once": "a"})
    training = all_of(Training)[0]
    assert answer["Location"] == address("training", training.pk)
    assert training.steps_total == 150
    alice.post(address("set_start", found.pk), {"effort": "quick", "once": "a"})
    assert len(all_of(Training)) == 1

    waiting = alice.get(address("training", training.pk)).content.decode()
    assert "data-training" in waiting and 'data-controls="queued"' in waiting
    carry_out_next()
    page = alice.get(address("training", training.pk)).content.decode()
    assert "Step 20 was chosen" in page
    assert "0.07" in page and "<polyline" in page
    assert "Its samples are the most like the garment" in page

    carry_out_next("generate")
    grid = all_of(Comparison)[0]
    page = alice.get(address("comparison", grid.pk)).content.decode()
    assert "winner" in page and "Weight 0.6" in page and page.count("<img") >= 18

    version = all_of(AdapterVersion)[0]
    page = alice.get(address("adapter", version.adapter_id)).content.decode()
    assert "in use" in page and version.trigger in page
    shoot = alice.get(reverse("generation:new"), {"kind": "outfit", "adapter": version.adapter_id}).content.decode()
    assert f'value="{version.adapter_id}" checked' in shoot


def test_captions_are_edited_one_by_one_and_all_at_once(alice, atelier, executor):
    found = new_set(atelier)
    checked(atelier, found)
    first, second = all_of(TrainingPicture, set=found)[:2]
    sent = form_of(found, **{f"caption-{first.pk.hex}": "hand written", f"use-{second.pk.hex}": "-"})
    alice.post(address("set_change", found.pk), sent)
    first, second = all_of(TrainingPicture, set=found)[:2]
    assert (first.caption, first.caption_by_hand) == ("hand written", True)
    assert second.left_out

    sent = form_of(
        found, deed="edit", find="dress", replace="gown", append="studio light", **{f"use-{second.pk.hex}": "-"}
    )
    alice.post(address("set_change", found.pk), sent)
    captions = [picture.caption for picture in all_of(TrainingPicture, set=found)]
    assert captions[0] == "hand written, studio light"
    assert captions[2] == f"{found.trigger} gown, picture 2, studio light"
    assert captions[1] == f"{found.trigger} dress, picture 1"  # it takes no part


def test_parts_are_cut_out_and_the_set_is_checked_again_by_a_button(alice, atelier, executor):
    found = new_set(atelier)
    checked(atelier, found)
    first = all_of(TrainingPicture, set=found)[0]
    alice.post(address("set_change", found.pk), form_of(found, deed=f"crop:{first.pk}"))
    pictures = all_of(TrainingPicture, set=found)
    assert len(pictures) == 9 and pictures[0].left_out
    sent = form_of(found, deed="check", **{f"use-{first.pk.hex}": "-"})
    alice.post(address("set_change", found.pk), sent)
    carry_out_next("light")
    assert len(executor["light"].asked[-1]["photos"]) == 8


def test_a_refusal_stands_on_the_page(alice, atelier, executor):
    found = new_set(atelier)
    answer = alice.post(address("set_start", found.pk), {"once": "b"})
    assert answer.status_code == 422
    assert "no caption yet" in answer.content.decode()
    training = trained(atelier)
    answer = alice.post(address("grid", training.pk), {"axis-x": "weight", "values-x": "a lot"})
    assert answer.status_code == 422
    assert "Write numbers with commas" in answer.content.decode()


def test_a_grid_of_ones_own_is_ordered_and_paid(alice, atelier, executor):
    training = trained(atelier)
    answer = alice.post(
        address("grid", training.pk),
        {"axis-x": "weight", "values-x": "0.5, 1", "axis-y": "prompt", "values-y": "a, b; c", "once": "g"},
    )
    grid = all_of(Comparison)[-1]
    assert answer["Location"] == address("comparison", grid.pk)
    assert (grid.cells_total, grid.price, grid.automatic) == (4, 4, False)
    assert grid.order["axes"][1]["values"] == ["a, b", "c"]


def test_promoting_rolling_back_and_training_again(alice, atelier, executor):
    trained(atelier)
    training = all_of(Training)[0]
    alice.post(address("choose", training.pk), {"step": "30"})
    adapter = all_of(Adapter)[0]
    second = all_of(AdapterVersion)[1]
    act = address("adapter_act", adapter.pk)
    alice.post(act, {"action": "promote", "version": second.pk})
    assert fresh(second).promoted
    alice.post(act, {"action": "change", "version": second.pk, "note": "softer", "weight": "0,8"})
    assert (fresh(second).note, fresh(second).weight) == ("softer", 0.8)
    assert alice.post(act, {"action": "change", "version": second.pk, "weight": "much"}).status_code == 422
    alice.post(act, {"action": "rollback"})
    assert not fresh(second).promoted
    answer = alice.post(act, {"action": "retrain", "version": second.pk})
    assert answer["Location"] == f"{address('set', all_of(TrainingSet)[-1].pk)}?begin={second.pk}"
    assert f'value="{second.pk}" selected' in alice.get(answer["Location"]).content.decode()


def test_a_note_alone_leaves_the_weight_to_the_grids(alice, atelier, executor):
    trained(atelier)
    carry_out_next("generate")
    version = all_of(AdapterVersion)[0]
    page = alice.get(address("adapter", version.adapter_id)).content.decode()
    assert 'step="0.01"' in page and 'value="retrain" formnovalidate' in page
    sent = {"action": "change", "version": version.pk, "note": "softer", "weight": str(version.weight)}
    alice.post(address("adapter_act", version.adapter_id), sent)
    assert (fresh(version).note, fresh(version).weight_from) == ("softer", "grid")


def test_progress_is_told_with_a_mark_and_304_while_nothing_moved(alice, atelier, executor):
    training = ordered(atelier)
    answer = alice.get(address("training_progress", training.pk))
    told = answer.json()
    assert (told["status"], told["position"], told["steps_total"]) == ("queued", 1, 30)
    again = alice.get(address("training_progress", training.pk), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    carry_out_next()
    told = alice.get(address("training_progress", training.pk)).json()
    assert told["done"] and told["next"] == address("training", training.pk)


def test_a_stream_tells_what_polling_does(alice, atelier, executor, settings):
    import json

    settings.STREAMS = 2
    training = ordered(atelier)
    answer = alice.get(address("training_stream", training.pk))
    pieces = iter(answer.streaming_content)
    next(pieces)
    line = next(pieces).decode().split("data: ", 1)[1]
    assert json.loads(line) == alice.get(address("training_progress", training.pk)).json()
    answer.close()


def test_the_list_shows_what_runs_and_what_is_in_use(alice, atelier, executor):
    trained(atelier)
    page = alice.get(address("trainings")).content.decode()
    assert "Poppy dress" in page and "Version 1" in page and "/media/" in page


def test_an_upload_that_does_not_fit_says_so(alice, atelier, executor):
    from django.core.files.uploadedfile import SimpleUploadedFile

    def send(data: bytes) -> Any:
        file = SimpleUploadedFile("mine.safetensors", data)
        return alice.post(address("upload"), {"file": file, "garment": atelier.garment.pk, "once": "u"})

    assert send(b"\x80\x04pickle").status_code == 422
    answer = send(scripted.adapter_bytes())
    assert answer.status_code == 302
    carry_out_next("light")
    page = alice.get(answer["Location"]).content.decode()
    assert "This file was not taken." in page


def test_another_shop_sees_none_of_it(alice, atelier, bazaar, executor):
    training = trained(bazaar)
    carry_out_next("generate")
    version, grid = all_of(AdapterVersion)[0], all_of(Comparison)[0]
    for name, pk in (
        ("training", training.pk), ("live", training.pk), ("training_progress", training.pk),
        ("training_stream", training.pk), ("set", training.set_id), ("set_progress", training.set_id),
        ("comparison", grid.pk), ("comparison_progress", grid.pk), ("adapter", version.adapter_id),
    ):  # fmt: skip
        assert alice.get(address(name, pk)).status_code == 404, name
    for name, pk in (("act", training.pk), ("choose", training.pk), ("adapter_act", version.adapter_id)):
        assert alice.post(address(name, pk), {"action": "stop", "step": "20"}).status_code == 404, name


def test_files_open_for_their_merchant_alone(alice, atelier, bazaar, executor):
    from imodel_site.lib.signing import media_url
    from training.models import Checkpoint, TrainingSample

    trained(bazaar)
    trained(atelier)
    own, foreign = [], []
    for shop, places in ((atelier, own), (bazaar, foreign)):
        with merchant_scope(shop.merchant):
            places += [media_url(TrainingSample.objects.select_related("training").first(), "picture")]
            places += [media_url(Checkpoint.objects.select_related("training").first(), "adapter")]
            places += [media_url(AdapterVersion.objects.select_related("training").get(), "adapter")]
    assert [alice.get(place).status_code for place in own] == [200] * 3
    assert [alice.get(place).status_code for place in foreign] == [404] * 3


def test_a_page_that_was_opened_while_it_waited_gets_the_buttons_of_one_that_runs(alice, atelier, executor):
    """The page follows; what it fetches holds the buttons as well."""
    training = ordered(atelier)
    live = alice.get(address("live", training.pk)).content.decode()
    assert 'data-controls="queued"' in live and "Stop and keep it" not in live
    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(status="running")
    live = alice.get(address("live", training.pk)).content.decode()
    assert 'data-controls="running"' in live and "Stop and keep it" in live and "csrfmiddlewaretoken" in live
    page = alice.get(address("training", training.pk)).content.decode()
    assert page.count('data-controls="running"') == 1 and page.count("Stop and keep it") == 1
