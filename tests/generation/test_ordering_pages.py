"""The Shoot page and the expert page, as a browser without JavaScript uses them."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from PIL import Image

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Persona
from generation.models import Picture
from imodel_site.lib import storage
from tests.generation.conftest import add_photo, carry_out_next, first_of, mask_png, png
from tests.generation.reading import orders, page

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_visit_needs_one_tap(alice, house):
    text = page(alice, "new")
    assert f'value="{house.photo.pk}" checked' in text
    assert f'value="{first_of(Persona).pk}" checked' in text

    answer = alice.post(reverse("generation:new"), {"photo": house.photo.pk, "once": "k"})

    (shoot,) = orders()
    assert answer["Location"] == reverse("generation:shoot", args=[shoot.pk])
    assert (shoot.kind, shoot.count, shoot.started_by_id) == ("model", 2, house.actor.user.pk)


def test_ones_own_stand_first_and_the_preselected_one_stays(alice, house):
    with merchant_scope(house.merchant.pk):
        own = Persona.objects.create(merchant=house.merchant, name="zoe", title="Zoe", words="a woman", position=7)
    text = page(alice, "new")
    assert re.findall(r'name="persona" value="([^"]+)"', text)[0] == str(own.pk)
    assert f'value="{first_of(Persona).pk}" checked' in text


def test_an_owner_of_a_shop_that_closes_is_told_so(alice, house):
    with unscoped("test"):
        type(house.merchant).objects.filter(pk=house.merchant.pk).update(
            status="closing", delete_after=datetime(2030, 3, 4, tzinfo=UTC)
        )
    text = page(alice, "new")
    assert "This shop will be deleted on 4 Mar 2030." in text and "Ask an owner" not in text


def test_sending_the_page_twice_makes_one_shoot(alice, house):
    for _click in range(2):
        alice.post(reverse("generation:new"), {"photo": house.photo.pk, "once": "same-form"})
    assert len(orders()) == 1


def test_every_choice_of_the_page_arrives_in_the_order(alice, house):
    with merchant_scope(house.merchant):
        persona, scene, pose = (first_of(model) for model in (Persona, *_scene_and_pose()))
    chosen = {
        "photo": house.photo.pk, "kind": "pose", "part": "full", "persona": persona.pk, "scene": scene.pk,
        "pose": pose.pk, "crop": "waist-up", "count": 3, "best_of": 2, "outfit": "navy-coat", "once": "x",
    }  # fmt: skip
    alice.post(reverse("generation:new"), chosen)

    order = orders()[0].order["body"]["order"]
    assert (order["kind"], order["garment"], order["crop"]) == ("pose", "full", "waist-up")
    assert (order["count"], order["best_of"], order["pose"]) == (3, 2, pose.name)


def _scene_and_pose():
    from catalog.models import Pose, Scene

    return Scene, Pose


def test_looking_at_another_photo_keeps_the_other_choices(alice, house):
    other = add_photo(house.actor, name="Wool coat", sku="WC-1", looked=False)
    answer = alice.post(reverse("generation:new"), {"photo": other.pk, "crop": "waist-up", "show": "1"})
    assert orders() == []

    text = alice.get(answer["Location"]).content.decode()
    assert f'value="{other.pk}" checked' in text
    assert 'value="waist-up" checked' in text
    assert "still looking" in text


def test_the_page_shows_the_proposed_masks_and_the_skeleton_as_layers(alice, house):
    text = page(alice, "new")
    assert "part-upper" in text and "part-full" in text and "part-auto" in text and "part-lower" not in text
    assert 'class="layer pose"' in text


def test_a_mask_of_ones_own_goes_along(alice, house):
    upload = io.BytesIO(mask_png())
    upload.name = "mask.png"
    alice.post(reverse("generation:new"), {"photo": house.photo.pk, "mask": upload})

    files = orders()[0].order["files"]
    assert f"m/{house.merchant.pk}/orders/" in files["order.mask"]
    with Image.open(io.BytesIO(storage.read(files["order.mask"]))) as mask:
        assert (mask.size, mask.getpixel((30, 40)), mask.getpixel((2, 2))) == ((64, 96), 255, 0)


def test_a_refusal_stands_by_its_field_and_keeps_what_was_chosen(alice, house):
    answer = alice.post(reverse("generation:new"), {"photo": house.photo.pk, "kind": "pose", "crop": "knee-up"})

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose the new pose." in text
    assert 'value="knee-up" checked' in text
    assert orders() == []


def test_without_a_garment_the_page_says_what_to_do(alice, library):
    assert "Start with a photo of a garment" in page(alice, "new")


def test_an_experts_request_reaches_the_executor_with_its_pictures(alice, house, executor):
    picture, skeleton = (io.BytesIO(png(size=(128, 192))) for _ in range(2))
    picture.name, skeleton.name = "start.png", "skeleton.png"
    mask = io.BytesIO(mask_png((128, 192)))
    mask.name = "mask.png"
    answer = alice.post(
        reverse("generation:expert"),
        EXPERT | {"image": picture, "mask": mask, "control_0": skeleton, "seed": "7", "iterations": "2"},
    )
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    carry_out_next()

    request = executor.asked[0]["request"]
    assert (request["prompt"], request["seed"], request["sampler"], request["steps"]) == ("a coat", 7, "Euler a", 12)
    assert request["image"].startswith("/") and request["mask"].startswith("/")
    (control,) = request["controls"]
    assert control["image"].startswith("/") and (control["kind"], control["end"]) == ("openpose", 0.5)
    with unscoped("test"):
        assert [p.verdict for p in Picture.objects.all()] == ["none", "none"]


EXPERT = {
    "engine": "mini", "prompt": "a coat", "negative_prompt": "", "seed": "-1", "batch_size": "1", "iterations": "1",
    "steps": "12", "sampler": "Euler a", "scheduler": "Automatic", "clip_skip": "1", "denoising_strength": "1",
    "resize": "stretch", "mask_blur": "4", "fill": "1", "only_masked_padding": "32", "paste_back": "on",
    "control_weight_0": "1", "control_start_0": "0", "control_end_0": "0.5",
    "control_weight_1": "1", "control_start_1": "0", "control_end_1": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": "151"}, "150"),
        ({"width": "100"}, "multiple of 8"),
        ({"denoising_strength": "0.5"}, "image"),
        ({"sampler": "PLMS", "scheduler": "Karras"}, "no &#x27;Karras&#x27; schedule"),
        ({"batch_size": "8", "iterations": "3"}, "At most 16 pictures"),
        ({"prompt": ""}, "required"),
        ({"only_masked": "on"}, "mask"),
    ],
)
def test_an_experts_mistake_is_said_by_its_field(alice, house, changes, words):
    answer = alice.post(reverse("generation:expert"), EXPERT | changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert orders() == []


def test_a_photo_dropped_on_the_page_comes_back_chosen(alice, house):
    photo = io.BytesIO(png((30, 60, 200), (300, 450)))
    photo.name = "wool-coat.png"
    answer = alice.post(reverse("generation:upload"), {"photos": photo})
    text = alice.get(answer["Location"]).content.decode()
    assert "Wool coat" in text and "still looking" in text and 'data-look="/catalog/photos/' in text

    broken = io.BytesIO(b"not a picture")
    broken.name = "x.png"
    told = alice.post(reverse("generation:upload"), {"photos": broken}, headers={"X-Requested-With": "XMLHttpRequest"})
    assert told.status_code == 400 and told.json()["error"]["code"].startswith("photo_")


def test_the_expert_page_offers_only_weights_that_somebody_has(alice, settings):
    page = alice.get(reverse("generation:expert")).content.decode()
    assert 'value="mini"' in page and 'value="sdxl"' not in page
    answer = alice.post(reverse("generation:expert"), EXPERT | {"engine": "sdxl"})
    assert answer.status_code != 302
    settings.ENGINES = ["sdxl"]
    assert 'value="sdxl"' in alice.get(reverse("generation:expert")).content.decode()
