"""What the executor is asked for each model name, and what is refused before anything is painted."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from accounts.scoping import merchant_scope
from catalog.models import Asset, Look, Persona
from generation.models import FashnRun, Picture, Shoot
from generation.surfaces.fashn import pictures, services
from generation.surfaces.fashn.inputs import MODELS, BadInput, read
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import Fetcher, is_public
from tests.api.conftest import Program, count
from tests.fashn.conftest import LANDMARKS, carry_out_next, fetch_next, mask_png, png, uri
from tests.lib.https_server import ADDRESS, certificate, plain_answer, serving

pytestmark = pytest.mark.django_db


def run(shop: Program, model_name: str, **inputs: Any) -> str:
    answer = shop.post("/v1/run", {"model_name": model_name, "inputs": inputs})
    assert answer.status_code == 200, answer.content
    return str(answer.json()["id"])


def status(shop: Program, identity: str) -> dict[str, Any]:
    return dict(shop.get(f"/v1/status/{identity}").json())


def asked(shop: Program, executor: Any, model_name: str, **inputs: Any) -> dict[str, Any]:
    """The executor's request."""
    identity = run(shop, model_name, **inputs)
    assert status(shop, identity)["status"] == "in_queue"
    fetch_next()
    carry_out_next()
    told = status(shop, identity)
    assert told["status"] == "completed", told
    return dict(executor.asked[-1])


@pytest.mark.parametrize("model_name, garment", [("tryon-v1.6", "garment_image"), ("tryon-max", "product_image")])
def test_a_try_on_keeps_the_garments_picture_and_takes_the_models_pose(
    shop, executor, looking, model_name, garment
) -> None:
    order = asked(shop, executor, model_name, **{garment: uri(), "model_image": uri(png((1, 2, 3)))})["order"]
    assert (order["kind"], order["count"], order["seed"], order["garment"]) == ("model", 1, 42, "auto")
    assert order["pose"]["landmarks"] == [row[:4] for row in LANDMARKS] and "photo" in order


def test_a_persona_of_the_library_is_named_and_an_unknown_one_refused(shop, executor, looking, house) -> None:
    inputs = {"garment_image": uri(), "category": "tops", "num_samples": 2, "seed": 9, "mode": "quality"}
    order = asked(shop, executor, "tryon-v1.6", model_image="saved:kofi", **inputs)["order"]
    assert (order["persona"]["name"], order["garment"], order["count"], order["seed"]) == ("kofi", "upper", 2, 9)
    assert order["pose"] == "as-photographed" and order["steps"] == 36
    with merchant_scope(house.merchant):
        assert Shoot.objects.get().persona == Persona.objects.get(name="kofi")
    refused = run(shop, "tryon-v1.6", model_image="saved:nobody", garment_image=uri())
    fetch_next()
    assert status(shop, refused)["error"]["name"] == "InputValidationError"


def test_the_prompt_says_where_and_for_a_swap_who(shop, executor, looking) -> None:
    order = asked(shop, executor, "product-to-model", product_image=uri(), prompt="quiet\nbeach")["order"]
    assert order["scene"] == {"name": "As asked", "words": "quiet beach"}
    order = asked(shop, executor, "model-swap", model_image=uri(), prompt="a tall man")["order"]
    assert order["persona"]["words"] == "a tall man" and order["scene"]["name"] == "white-studio"
    order = asked(shop, executor, "background-change", image=uri(), prompt="desert")["order"]
    assert (order["kind"], order["scene"]["words"]) == ("scene", "desert")


def test_words_alone_with_a_pose_from_a_picture(shop, executor, looking) -> None:
    square = {"aspect_ratio": "1:1", "generation_mode": "fast"}
    request = asked(shop, executor, "model-create", prompt="a man", **square)["request"]
    assert request["prompt"] == "a man" and request["width"] == request["height"] == 160 and request["steps"] == 14
    request = asked(shop, executor, "model-create", prompt="a man", image_reference=uri(), reference_type="pose")[
        "request"
    ]
    assert [control["kind"] for control in request["controls"]] == ["openpose"]
    assert request["width"] / request["height"] == pytest.approx(64 / 96, abs=0.03), "the reference's shape"


def test_pictures_near_one_and_edits(shop, executor) -> None:
    near, far = (
        asked(shop, executor, "model-variation", model_image=uri(), variation_strength=strength)["request"]
        for strength in ("subtle", "strong")
    )
    assert near["denoising_strength"] < far["denoising_strength"] < 1 and "mask" not in near
    inputs = {"image": uri(), "mask": uri(mask_png()), "prompt": "a red belt", "num_images": 2}
    edit = asked(shop, executor, "edit", **inputs)["request"]
    assert (edit["batch_size"], edit["only_masked"], edit["denoising_strength"]) == (2, True, 1.0) and "mask" in edit


def test_more_around_a_picture_and_a_body_for_a_face(shop, executor, house) -> None:
    sizes = {}
    for name, inputs in {
        "reframe": {"image": uri(), "aspect_ratio": "1:1"},
        "face-to-model": {"face_image": uri(), "aspect_ratio": "3:4", "prompt": "athletic"},
    }.items():
        request = asked(shop, executor, name, **inputs)["request"]
        assert request["only_masked"] and request["fill"] == 0
        with merchant_scope(house.merchant):
            files = Shoot.objects.order_by("-id")[0].order["files"]
        image, mask = (Image.open(io.BytesIO(storage.read(files[f"request.{name}"]))) for name in ("image", "mask"))
        assert image.size == mask.size
        sizes[name] = (image.size, mask.convert("L").getbbox(), mask.convert("L").getpixel((image.width // 2, 40)))
    assert sizes["reframe"] == ((96, 96), (0, 0, 96, 96), 0)
    assert sizes["face-to-model"] == ((576, 768), (0, 0, 576, 768), 0)


def test_a_cut_out_is_paid_for_once_and_needs_no_shoot(shop, looking, house) -> None:
    before = shop.get("/v1/credits").json()["credits"]["total"]
    identity = run(shop, "background-remove", image=uri(), return_base64=True)
    fetch_next()
    answer = shop.get(f"/v1/status/{identity}")
    assert answer["x-fashn-credits-used"] == "1" and answer.json()["status"] == "completed"
    cut = Image.open(io.BytesIO(base64.b64decode(answer.json()["output"][0].partition(",")[2])))
    assert (cut.mode, cut.size) == ("RGBA", (64, 96))
    assert cut.getpixel((30, 50)) == (200, 40, 40, 255) and cut.getpixel((2, 2)) == (0, 0, 0, 0)
    assert shop.get("/v1/credits").json()["credits"]["total"] == before - 1 and count(Shoot) == 0
    plain = run(shop, "background-remove", image=uri())
    fetch_next()
    address = status(shop, plain)["output"][0]
    assert shop.get(address.removeprefix("http://testserver"))["Content-Type"] == "image/png"


def test_nobody_on_a_picture_is_said(shop, looking) -> None:
    looking.somebody, looking.parts = False, ()
    for name, inputs, wanted in (
        ("tryon-max", {"product_image": uri(), "model_image": uri()}, "PoseError"),
        ("background-remove", {"image": uri()}, "InputValidationError"),
    ):
        identity = run(shop, name, **inputs)
        fetch_next()
        assert status(shop, identity)["error"]["name"] == wanted


def test_what_moderation_holds_back_is_not_handed_out(shop, executor, looking, house) -> None:
    looking.flagged = True
    flagged = run(shop, "background-remove", image=uri())
    fetch_next()
    assert status(shop, flagged)["error"]["name"] == "ContentModerationError"
    looking.flagged = False
    identity = run(shop, "model-create", prompt="x")
    fetch_next()
    carry_out_next()
    with merchant_scope(house.merchant):
        Picture.objects.update(moderation="flagged")
    told = status(shop, identity)
    assert (told["status"], told["output"], told["error"]["name"]) == ("failed", None, "ContentModerationError")
    with merchant_scope(house.merchant):
        Picture.objects.update(moderation="approved")
    assert status(shop, identity)["status"] == "completed"


def test_a_rejected_upload_is_refused_under_its_very_bytes_and_an_upload_is_looked_at(shop, executor, house) -> None:
    run(shop, "model-swap", model_image=uri())
    fetch_next()
    with merchant_scope(house.merchant):
        asset = FashnRun.objects.get().asset
        assert Look.objects.filter(asset=asset, status="queued").exists()
        Asset.objects.filter(pk=asset.pk).update(moderation="rejected")
    again = run(shop, "model-swap", model_image=uri())
    fetch_next()
    assert status(shop, again)["error"]["name"] == "ContentModerationError"


def test_pictures_by_address_come_under_the_products_rules(shop, executor, tmp_path) -> None:
    pem, trust = certificate(tmp_path, "shop.example")
    with serving(pem, plain_answer(png((5, 6, 7)))) as (port, heads):
        fetcher = Fetcher((port,), lambda host, _: [ADDRESS], lambda a: a == ADDRESS or is_public(a), trust)
        identity = run(shop, "model-variation", model_image=f"https://shop.example:{port}/a.png")
        fetch_next(fetcher)
        carry_out_next()
        assert status(shop, identity)["status"] == "completed" and len(heads) == 1
    for address in ("https://127.0.0.1/a.png", "http://shop.example/a.png", "https://metadata.internal/"):
        identity = run(shop, "model-variation", model_image=address)
        fetch_next()
        assert status(shop, identity)["error"]["name"] == "ImageLoadError"


def test_no_more_runs_at_once_than_may_be(shop, settings) -> None:
    settings.FASHN_AT_ONCE = 2
    first = run(shop, "model-create", prompt="x")
    run(shop, "model-create", prompt="x")
    answer = shop.post("/v1/run", {"model_name": "model-create", "inputs": {"prompt": "x"}})
    assert (answer.status_code, answer.json()["error"]) == (429, "ConcurrencyLimitExceeded")
    fetch_next()
    assert status(shop, first)["status"] == "in_queue", "its shoot waits now"
    assert shop.post("/v1/run", {"model_name": "model-create", "inputs": {"prompt": "x"}}).status_code == 429


def test_fifty_calls_a_minute(shop) -> None:
    codes = [shop.post("/v1/run", {"model_name": "none", "inputs": {}}).status_code for _ in range(51)]
    assert codes == [400] * 50 + [429]


def test_the_oldest_form_has_no_model_name(shop, executor, looking) -> None:
    answer = shop.post("/v1/run", {"model_image": uri(), "garment_image": uri()})
    fetch_next()
    carry_out_next()
    assert status(shop, answer.json()["id"])["status"] == "completed"


@pytest.mark.parametrize("body", [[], "x", {"model_name": "edit"}, {"model_name": 7, "inputs": {}}])
def test_a_body_that_is_none_of_theirs(shop, body) -> None:
    answer = shop.post("/v1/run", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadRequest")


def test_three_days_later_a_run_is_forgotten_and_its_pictures_stay(shop, executor, looking, house) -> None:
    from datetime import timedelta

    from django.utils import timezone

    kept = run(shop, "model-swap", model_image=uri())
    cut = run(shop, "background-remove", image=uri())
    for _lane in range(2):
        fetch_next()
    carry_out_next()
    with merchant_scope(house.merchant):
        key, asset = FashnRun.objects.get(pk=cut).output[0], FashnRun.objects.get(pk=kept).asset
        FashnRun.objects.update(finished_at=timezone.now() - timedelta(hours=71))
        assert services.purge() == 0
        FashnRun.objects.update(finished_at=timezone.now() - timedelta(hours=73))
    assert services.purge() == 2
    assert shop.get(f"/v1/status/{kept}").status_code == 404
    assert count(FashnRun) == 0 and count(Picture) == 1 and count(Asset, pk=asset.pk) == 0
    with pytest.raises(FileNotFoundError):
        storage.read(key)


def test_files_that_came_along_go_with_the_run_that_took_them_over(shop, executor, house) -> None:
    run(shop, "model-swap", model_image=uri())
    with merchant_scope(house.merchant):
        (sent,) = services.referred_keys(house.merchant.pk)
    assert storage.read(sent) == png()
    fetch_next()
    with pytest.raises(FileNotFoundError):
        storage.read(sent)


REFUSED = [
    ("product-to-model", {"product_image": "/etc/passwd"}, "product_image"),
    ("model-create", {"prompt": "x", "lora_url": "https://a/b"}, "lora_url"),
    ("model-create", {"prompt": ""}, "prompt"),
    ("model-create", {"prompt": "x" * 501}, "prompt"),
    ("model-create", {"prompt": "x", "resolution": "4k"}, "resolution"),
    ("model-create", {"prompt": "x", "num_images": 5}, "num_images"),
    ("model-create", {"prompt": "x", "num_images": True}, "num_images"),
    ("model-create", {"prompt": "x", "seed": -1}, "seed"),
    ("model-create", {"prompt": "x", "colour": "red"}, "colour"),
    ("model-create", {"prompt": "x", "image_reference": uri(), "reference_type": "silhouette"}, "reference_type"),
    (
        "tryon-v1.6",
        {"model_image": uri(), "garment_image": uri(), "garment_photo_type": "flat-lay"},
        "garment_photo_type",
    ),
    ("product-to-model", {"product_image": uri(), "aspect_ratio": "1:1"}, "aspect_ratio"),
    ("edit", {"image": "saved:kofi", "prompt": "x"}, "image"),
    ("edit", {"image": uri(), "prompt": "x", "mask": uri(), "aspect_ratio": "1:1"}, "aspect_ratio"),
    ("reframe", {"image": uri()}, "aspect_ratio"),
]


@pytest.mark.parametrize("model_name, inputs, field", REFUSED)
def test_an_input_that_is_missing_or_wrong_is_named(model_name, inputs, field) -> None:
    with pytest.raises(BadInput) as caught:
        read(model_name, inputs)
    assert caught.value.field == field and (field in str(caught.value) or field == "aspect_ratio")


def test_null_is_left_out() -> None:
    assert read("model-create", {"prompt": "x", "seed": None}).seed == 42
    assert set(MODELS) >= {"tryon-v1.6", "tryon-max", "product-to-model", "model-swap", "edit", "reframe"}


def test_nobody_names_a_file_of_ours_from_outside(shop, executor, looking, house, cast) -> None:
    """Keys are long, but exports list them: whoever finds one must neither read nor delete its file by it."""
    theirs = storage.put(storage.new_key(cast.bazaar.pk, "picture", "png"), png())
    identity = run(shop, "reframe", image={"key": theirs}, aspect_ratio="1:1")
    fetch_next()
    assert status(shop, identity)["error"]["name"] == "InputValidationError"
    with merchant_scope(house.merchant):
        FashnRun.objects.update(inputs={"image": {"key": theirs}, "aspect_ratio": "1:1"}, refusal=None)
    assert pictures_refuse(theirs, house) and storage.read(theirs) == png()


def pictures_refuse(key: str, house: Any) -> bool:
    with pytest.raises(Refused, match="gone"):
        pictures.fetch({"key": key}, Fetcher(is_public), merchant_id=house.merchant.pk)
    return True


@pytest.mark.parametrize("image", ["https://a.example/\x00.png", "https://a.example/\ud800", "ftp://a.example", 7])
def test_an_address_that_is_none_is_an_input_error(shop, image) -> None:
    identity = run(shop, "reframe", image=image, aspect_ratio="1:1")
    fetch_next()
    assert status(shop, identity)["error"]["name"] == "InputValidationError"


def test_what_came_along_with_a_run_that_failed_is_not_kept(shop, house, django_capture_on_commit_callbacks) -> None:
    run(shop, "reframe", image="data:image/png;base64,bm8gcGljdHVyZQ==", aspect_ratio="1:1")
    with merchant_scope(house.merchant):
        (sent,) = services.referred_keys(house.merchant.pk)
    assert storage.read(sent) == b"no picture"
    with django_capture_on_commit_callbacks(execute=True):
        fetch_next()
    with pytest.raises(FileNotFoundError):
        storage.read(sent)


def test_pictures_that_the_shop_deleted_are_no_matter_of_moderation(shop, executor, looking, house) -> None:
    from django.utils import timezone

    identity = run(shop, "model-create", prompt="a coat")
    fetch_next()
    carry_out_next()
    with merchant_scope(house.merchant):
        Picture.objects.update(moderation="rejected")
    assert "removed by moderation" in status(shop, identity)["error"]["message"]
    with merchant_scope(house.merchant):
        Picture.objects.update(moderation="approved", deleted_at=timezone.now())
    told = status(shop, identity)
    assert (told["status"], told["output"], told["error"]) == ("completed", [], None)
