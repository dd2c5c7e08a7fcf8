"""Versions come, are promoted and rolled back; files that are brought along are judged; shoots wear what is in use."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from accounts.models import WebhookEvent
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset
from catalog.services.shared_library import seed_library
from generation import services as shooting
from generation.models import Kind, Picture, Shoot
from generation.orders import Choices
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, NotHere, Refused
from imodel_site.lib.jobs import services as jobs
from tests.generation import scripted as painting
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next, fresh, trained
from training.models import Adapter, AdapterUpload, AdapterVersion, Checkpoint, Promotion
from training.services import adapters, trainings, uploads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(atelier, executor):
    """An adapter with three versions: steps 20 (in use), 30 and 10."""
    trained(atelier)
    with merchant_scope(atelier.merchant):
        for step in (30, 10):
            checkpoint = Checkpoint.objects.select_related("training__garment").get(step=step)
            trainings.choose_checkpoint(actor=atelier.actor, checkpoint=checkpoint)
    return atelier


def in_use(shop: Any) -> int:
    return next(version.number for version in all_of(AdapterVersion) if version.promoted)


def test_each_promotion_is_written_down_and_each_step_back_undoes_one(two):
    with merchant_scope(two.merchant):
        adapter = Adapter.objects.get()
        first, second, third = AdapterVersion.objects.order_by("number")
        adapters.promote(actor=two.actor, version=second, note="looks better")
        adapters.promote(actor=two.actor, version=third)
        adapters.promote(actor=two.actor, version=third)  # changes nothing
        assert adapters.roll_back(actor=two.actor, adapter=adapter).pk == second.pk
        assert adapters.roll_back(actor=two.actor, adapter=adapter).pk == first.pk
        with pytest.raises(Conflict) as refused:
            adapters.roll_back(actor=two.actor, adapter=adapter)
        assert refused.value.code == "nothing_before"
        adapters.promote(actor=two.actor, version=third)
        assert adapters.roll_back(actor=two.actor, adapter=adapter).pk == first.pk

    assert in_use(two) == 1
    steps = [(step.version_id == third.pk, step.back, step.by_id) for step in all_of(Promotion)]
    assert len(steps) == 7
    assert steps[0][2] is None and steps[2] == (True, False, two.actor.user.pk)
    assert all_of(Promotion)[1].note == "looks better"
    told = [event.payload["number"] for event in all_of(WebhookEvent) if event.type == "adapter.promoted"]
    assert told == [1, 2, 3, 2, 1, 3, 1]


def test_weight_and_note_are_the_merchants_and_a_grid_does_not_take_them_back(two):
    with merchant_scope(two.merchant):
        version = AdapterVersion.objects.get(number=1)
        adapters.change_version(actor=two.actor, version=version, note="  for winter ", weight=0.75)
        with pytest.raises(Refused) as refused:
            adapters.change_version(actor=two.actor, version=version, weight=float("nan"))
    assert refused.value.code == "weight_out_of_range"
    carry_out_next("generate")
    version = fresh(version)
    assert (version.note, version.weight, version.weight_from) == ("for winter", 0.75, "merchant")


def test_a_retraining_begins_with_what_the_version_learned_from(two):
    with merchant_scope(two.merchant):
        version = AdapterVersion.objects.select_related("adapter__garment", "training").get(number=1)
        found = trainings.retrain(actor=two.actor, version=version)
        pictures = list(found.pictures.order_by("position"))
    assert found.trigger == version.trigger
    assert len(pictures) == 7
    assert [picture.held_out for picture in pictures] == [False] * 6 + [True]
    assert pictures[0].caption == f"{version.trigger} dress, picture 0"


def test_of_a_garment_that_was_deleted_further_versions_join_those_that_there_are(two):
    with unscoped("test"):
        training = Checkpoint.objects.select_related("training").get(step=20).training
        type(training).objects.filter(pk=training.pk).update(garment=None)
        Adapter.objects.update(garment=None)
    with merchant_scope(two.merchant):
        AdapterVersion.objects.filter(step=10).delete()
        for step in (20, 20, 10):
            checkpoint = Checkpoint.objects.select_related("training__garment").get(step=step)
            trainings.choose_checkpoint(actor=two.actor, checkpoint=checkpoint)
    assert [adapter.pk for adapter in all_of(Adapter)] == [version.adapter_id for version in all_of(AdapterVersion)[:1]]
    assert sorted(version.step for version in all_of(AdapterVersion)) == [10, 20, 30]


# --- in shoots -------------------------------------------------------------------------------------------------------
@pytest.fixture
def paints(two, executor):
    """The generate lane paints shoots; its first grid is out of the way."""
    seed_library()
    carry_out_next("generate")
    executor["generate"].script = painting.paints
    executor["generate"].asked.clear()
    return executor["generate"]


def order(shop: Any, **choices: Any) -> Shoot:
    with merchant_scope(shop.merchant):
        return shooting.order_shoot(
            actor=shop.actor, choices=Choices(photo=shop.photos[0].pk, count=1, seed=5, **choices), key=None
        )


def test_an_outfit_change_without_an_outfit_wears_the_garments_own_training(two, paints):
    shoot = order(two, kind=Kind.OUTFIT)
    carry_out_next("generate")

    version = next(one for one in all_of(AdapterVersion) if one.promoted)
    asked = paints.asked[0]["order"]
    path, weight = asked["adapters"][0]
    assert path.endswith(version.key.rsplit("/", 1)[1])
    assert weight == version.weight
    assert asked["outfit"] == f"{version.trigger} dress"
    assert fresh(shoot).adapter_version == version.pk


def test_a_model_photo_takes_an_adapter_only_when_asked_and_names_the_garment(two, paints):
    with merchant_scope(two.merchant):
        adapter = Adapter.objects.get()
    order(two)
    order(two, adapter=adapter.pk, adapter_weight=0.5)
    order(two, kind=Kind.OUTFIT, adapter=None)
    for _n in range(3):
        carry_out_next("generate")

    plain, worn, none = (message["order"] for message in paints.asked)
    assert "adapters" not in plain and "worn" not in plain
    assert worn["adapters"][0][1] == 0.5
    assert worn["worn"].endswith(" dress")
    assert "adapters" not in none and none["outfit"] == "red-dress"


def test_a_replay_and_another_try_take_the_same_version_though_another_is_in_use(two, paints):
    shoot = order(two, kind=Kind.OUTFIT)
    carry_out_next("generate")
    with merchant_scope(two.merchant):
        adapters.promote(actor=two.actor, version=AdapterVersion.objects.get(number=2))
        first = AdapterVersion.objects.get(number=1)
        shooting.do_again(actor=two.actor, shoot=fresh(shoot), key=None)
        picture = Picture.objects.select_related("shoot").get()
        shooting.replay(actor=two.actor, picture=picture, key=None)
    carry_out_next("generate")
    carry_out_next("generate")

    again, replay = paints.asked[1:]
    name = first.key.rsplit("/", 1)[1]
    assert again["order"]["adapters"][0][0].endswith(name)
    assert replay["adapters"][0].endswith(name)


def test_anothers_adapter_is_as_missing_as_none(two, bazaar, paints):
    with merchant_scope(two.merchant):
        foreign = Adapter.objects.get()
    for identity in (foreign.pk, "01a20613-63fd-7cbb-8c10-9d288b061a4a"):
        with pytest.raises(NotHere) as missing:
            order(bazaar, kind=Kind.OUTFIT, adapter=identity)
        assert missing.value.field == "adapter"


def test_a_rejected_photo_takes_the_adapter_out_of_use(two, paints):
    shoot = order(two, kind=Kind.OUTFIT)
    with unscoped("test"):
        Asset.objects.filter(pk=two.photos[3].asset_id).update(moderation="rejected")
    carry_out_next("generate")
    assert (fresh(shoot).status, fresh(shoot).error_code) == ("failed", "photo_rejected")
    with merchant_scope(two.merchant):
        adapter = Adapter.objects.get()
        assert adapters.in_use(two.garment, family="mini") is None
    with pytest.raises(Conflict):
        order(two, kind=Kind.OUTFIT, adapter=adapter.pk)


# --- brought along ---------------------------------------------------------------------------------------------------
def uploaded(data: bytes, name: str = "mine.safetensors") -> TemporaryUploadedFile:
    file = TemporaryUploadedFile(name, "application/octet-stream", len(data), None)
    file.write(data)
    file.seek(0)
    return file


def bring(shop: Any, data: bytes, **more: Any) -> AdapterUpload:
    with merchant_scope(shop.merchant):
        return uploads.upload_adapter(
            actor=shop.actor, file=uploaded(data), garment=more.pop("garment", shop.garment), key=None, **more
        )


def mini_adapter(**metadata: str) -> bytes:
    """A LoRA that fits the bundled family, in diffusers' names."""
    import numpy as np
    from safetensors.numpy import save

    from studio.lora.module_table import module_shapes

    (_component, name), shapes = next(
        (module, shapes) for module, shapes in module_shapes("mini").items() if module[1].endswith("attn1.to_q")
    )
    shape = tuple(next(iter(shapes)) if isinstance(next(iter(shapes)), tuple) else shapes)
    tensors = {
        f"unet.{name}.lora_A.weight": np.ones((2, shape[1]), dtype=np.float32),
        f"unet.{name}.lora_B.weight": np.ones((shape[0], 2), dtype=np.float32),
    }
    return bytes(save(tensors, metadata=metadata or None))


def test_a_file_that_fits_becomes_a_version_with_its_trigger(atelier, executor):
    made = bring(atelier, mini_adapter(), trigger="abc12", note="from the studio")
    carry_out_next("light")

    made = fresh(made)
    assert (made.status, made.error_message) == ("succeeded", "")
    version = all_of(AdapterVersion)[0]
    assert (version.source, version.trigger, version.promoted) == ("uploaded", "abc12", True)
    assert storage.read(version.key) == mini_adapter()
    assert made.version_id == version.pk


@pytest.mark.parametrize(
    ("said", "kept"), [("abc12", "abc12"), ('a"\nX: y\x00, b', ""), ("A Dress", ""), ("x" * 41, "")]
)
def test_what_a_files_metadata_says_is_its_trigger_only_where_it_is_a_word(atelier, executor, said, kept):
    bring(atelier, mini_adapter(**{"modelspec.trigger_phrase": said}))
    carry_out_next("light")
    assert all_of(AdapterVersion)[0].trigger == kept


def test_a_file_for_other_weights_is_refused_by_the_worker(atelier, executor):
    made = bring(atelier, scripted.adapter_bytes())
    carry_out_next("light")
    made = fresh(made)
    assert (made.status, made.error_code) == ("failed", "adapter_base_unknown")
    assert all_of(AdapterVersion) == []


@pytest.mark.parametrize("how", ["refused", "cancelled"])
def test_a_file_that_is_not_taken_is_not_kept(atelier, executor, how):
    made = bring(atelier, scripted.adapter_bytes())
    key = made.key
    assert storage.private().exists(key)
    if how == "refused":
        carry_out_next("light")
    else:
        with merchant_scope(atelier.merchant):
            jobs.cancel(made)
    assert not storage.private().exists(key)
    assert fresh(made).key == ""


@pytest.mark.parametrize(
    "data, code",
    [
        (b"\x80\x04\x95pickle pickle pickle", "pickle_refused"),
        (b"PK\x03\x04" + b"z" * 40, "pickle_refused"),
        (b"not a file of weights at all, is it", "safetensors_limit"),
    ],
)
def test_what_is_no_safetensors_is_refused_before_anything_is_kept(atelier, data, code):
    with pytest.raises(Refused) as refused:
        bring(atelier, data)
    assert (refused.value.code, refused.value.field) == (code, "file")
    assert all_of(AdapterUpload) == []


def test_a_safetensors_file_without_a_lora_is_refused(atelier):
    import numpy as np
    from safetensors.numpy import save

    with pytest.raises(Refused) as refused:
        bring(atelier, bytes(save({"weight": np.ones((2, 2), dtype=np.float32)})))
    assert refused.value.code == "adapter_layout_unknown"


def test_larger_files_are_let_in_at_the_door_of_adapters_alone():
    from imodel_site.lib import uploads as door

    assert door.most_bytes("/api/v1/adapters/upload") == uploads.MOST_BYTES
    assert door.most_bytes("/training/adapters/upload") == uploads.MOST_BYTES
    assert door.most_bytes("/api/v1/photos") == door.MAX_FILE_BYTES
