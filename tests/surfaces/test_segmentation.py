"""``/sam``: uploads and embeddings are the shop's own, what needs other weights says so, lent photos are let go."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Embedding, Garment
from catalog.services import borrowing
from catalog.services.assets import add_asset
from catalog.services.photos import add_garment_with_photo
from generation.surfaces import pictures
from generation.surfaces.sam import dilating
from imodel_site.lib.ids import earliest
from tests.surfaces.conftest import Caller, half, photo

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(image: Any) -> str:
    return pictures.text_of(pictures.png(image))


@pytest.mark.usefixtures("mini")
def test_an_upload_is_a_draft_with_an_embedding_of_the_shop_s_own(alice: Caller, charlie: Caller) -> None:
    answer = alice.post("sam/upload", {"input_image": text_of(photo((240, 360))), "name": "red-coat_front.png"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    with merchant_scope(alice.shop.merchant):
        assert [(garment.name, garment.status) for garment in Garment.objects.all()] == [("Red coat", "draft")]
    assert (told["width"], told["height"]) == (240, 360)
    found = alice.get(told["embedding"].lstrip("/"))
    assert np.load(io.BytesIO(found.content), allow_pickle=False).shape == tuple(told["shape"])
    foreign, missing = (charlie.get(f"sam/embedding/{pk}") for pk in (told["photo"], "0" * 32))
    assert foreign.status_code == missing.status_code == 404 and foreign.json() == missing.json()
    assert "sam_mini" in told["encoder"] and told["decoder"]["bundled"] is True


@pytest.mark.usefixtures("mini")
def test_the_same_photo_is_read_once(alice: Caller) -> None:
    asked = {"input_image": "data:image/png;base64," + text_of(photo((240, 360))), "sam_positive_points": [[120, 180]]}
    first, second = (alice.post("sam/sam-predict", asked).json() for _try in range(2))
    assert first["masks"] == second["masks"] and "By sam_mini" in first["msg"]
    with unscoped("test"):
        assert (Asset.objects.count(), Embedding.objects.count(), Garment.objects.count()) == (1, 1, 0)
    named = alice.post("sam/sam-predict", {**asked, "sam_model_name": "sam_mini"}).json()
    assert named["msg"].endswith("done.")


def test_what_has_no_prompt_no_weights_or_no_sense_is_said(alice: Caller) -> None:
    picture = text_of(photo())
    nothing = alice.post("sam/sam-predict", {"input_image": picture})
    assert nothing.status_code == 200 and set(nothing.json()) == {"msg"}
    words = {"input_image": picture, "dino_enabled": True, "dino_text_prompt": "coat"}
    for path, body in (
        ("sam-predict", words), ("dino-predict", {"input_image": picture, "text_prompt": "coat"}),
        ("controlnet-seg", {"payload": {}}), ("category-mask", {"payload": {}}),
        ("sam-predict", {"input_image": picture, "sam_positive_points": [["a", 1]]}),
        ("dilate-mask", {"input_image": picture, "mask": text_of(half((10, 10)).resize((70, 70)))}),
        ("dilate-mask", {"input_image": picture, "mask": text_of(half()), "dilate_amount": 101}),
    ):  # fmt: skip
        answer = alice.post(f"sam/{path}", body)
        assert answer.status_code == 422 and answer.json()["error"] == "HTTPException", (path, answer.text)
    with unscoped("test"):
        assert Asset.objects.count() == 0


def test_a_disc_grows_a_mask_alike_in_all_directions() -> None:
    mask = np.zeros((41, 61), bool)
    mask[20, 30] = True
    grown = dilating.dilated(mask, 20)
    y, x = np.mgrid[:41, :61]
    distance = np.hypot(y - 20, x - 30)
    assert grown[distance <= 9.9].all() and not grown[distance >= 10.6].any()
    assert (dilating.dilated(mask, 0) == mask).all()
    corner = np.zeros((9, 9), bool)
    corner[0, 8] = True
    assert dilating.dilated(corner, 6).sum() == sum(
        (y * y + x * x) <= 9 for y in range(9) for x in range(9)
    )  # a quarter of it, none around the edges


def test_lent_photos_are_let_go_and_a_garment_s_are_not(atelier: Any) -> None:
    with merchant_scope(atelier.merchant):
        lent, _new = add_asset(merchant=atelier.merchant, file=pictures.png(photo(colour=(1, 2, 3))))
        kept, _new = add_garment_with_photo(
            merchant=atelier.merchant, file=pictures.png(photo(colour=(4, 5, 6))), file_name="a.png"
        )
    assert borrowing.let_go_unused() == 0, "they are an hour old at the least"
    ago = earliest(timezone.now() - timedelta(hours=2))
    with unscoped("test"):
        for n, pk in enumerate((lent.pk, kept.asset_id)):
            row = Asset.objects.get(pk=pk)
            key, row.pk = row.pk, type(row.pk)(int=ago.int + n)
            row.sha256 = f"old-{n}"
            row.save(force_insert=True)
            if key == kept.asset_id:
                type(kept).objects.filter(pk=kept.pk).update(asset_id=row.pk)
    assert borrowing.let_go_unused() == 1
    with unscoped("test"):
        assert not Asset.objects.filter(sha256="old-0").exists() and Asset.objects.filter(sha256="old-1").exists()
