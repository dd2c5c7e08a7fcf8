"""Masks of the merchant's own: saved from the editor or a form, seen by whoever may see the photo, and taken away."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from catalog.models import Asset, GarmentMask, GarmentPhoto
from catalog.services import decoding, masks, photos
from imodel_site.lib import storage
from studio.segmentation.bundled import bundled
from studio.segmentation.embedding_files import decode_embedding
from studio.segmentation.onnx_decode import OnnxDecoder, Prompt
from tests.catalog.cutting import SIZE, embed, light_executor, mask_file, mask_png, photo
from tests.catalog.pictures import jpeg, png, png_bomb, upload

SCRIPT = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"}


@pytest.fixture
def shown(atelier):
    return photo(atelier)


@pytest.fixture
def save(shown, signed_in):
    """``save("alice", edits=..., base=...)``: as the editor does."""
    alice = {}

    def call(who="alice", *, mask=None, **fields):
        client = alice.setdefault(who, signed_in(who))
        data = {"mask": mask_file() if mask is None else mask, "base": "", "edits": "{}", **fields}
        return client.post(f"/catalog/photos/{shown.pk}/cut/save", data, headers=SCRIPT)

    return call


def error(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_saved_mask_comes_back_pixel_by_pixel_with_how_it_came_about(shown, save, signed_in):
    edits = {"parts": [{"clicks": [[12.5, 30, 1]]}], "feather": 2}
    answer = save(edits=json.dumps(edits))
    state = answer.json()
    assert answer.status_code == 200 and state["mask"]["edits"] == edits
    client = signed_in("vera")
    sent = client.get(state["mask"]["url"])
    data = b"".join(sent.streaming_content)
    assert sent["Content-Type"] == "image/png" and hashlib.sha256(data).hexdigest() == state["mask"]["sha256"]
    kept = Image.open(io.BytesIO(data))
    assert (kept.mode, kept.size) == ("L", SIZE)
    np.testing.assert_array_equal(np.asarray(kept), np.asarray(Image.open(io.BytesIO(mask_png()))))
    row = GarmentMask.objects.get()
    assert row.saved_by.email == "alice@example.com" and row.asset_id == shown.asset_id


def test_grey_is_garment_from_the_middle_up(shown, save):
    levels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    levels[10], levels[20] = 127, 128
    save(mask=upload(png(Image.fromarray(levels)), "m.png", "image/png"))
    kept = np.asarray(Image.open(io.BytesIO(storage.read(GarmentMask.objects.get().key))))
    assert set(np.flatnonzero(kept.any(axis=1))) == {20} and kept.max() == 255


def test_a_second_editor_is_told_instead_of_overwriting_the_first(shown, save):
    first = save().json()["mask"]["sha256"]
    assert error(save("bob", mask=mask_file(box=(0, 0, 9, 9)))) == (409, "mask_changed")
    assert GarmentMask.objects.get().sha256 == first
    assert save("bob", mask=mask_file(box=(0, 0, 9, 9)), base=first).status_code == 200
    assert error(save(base=first)) == (409, "mask_changed")
    assert GarmentMask.objects.count() == 1


def test_the_same_mask_sent_twice_is_saved_and_no_conflict(shown, save):
    first = save().json()["mask"]["sha256"]
    assert save(base="").json()["mask"]["sha256"] == first
    assert GarmentMask.objects.count() == 1


def test_a_photo_brings_its_mask_along_and_both_may_come_twice(atelier, signed_in):
    client = signed_in("alice")

    def send(**mask):
        form = {"photos": upload(jpeg(size=SIZE)), "edits": '{"feather": 1}', **mask}
        return client.post("/catalog/upload", form, headers=SCRIPT)

    first = send(mask=mask_file()).json()["items"][0]["photo"]
    assert send(mask=mask_file()).json()["items"][0]["photo"] == first
    assert send().json()["items"][0]["photo"] == first
    row = GarmentMask.objects.get()
    assert row.edits == {"feather": 1} and GarmentPhoto.objects.get(asset=row.asset).pk.hex == first.replace("-", "")
    assert error(send(mask=mask_file(box=(0, 0, 9, 9)))) == (409, "mask_changed")
    assert GarmentMask.objects.get().sha256 == row.sha256


def test_a_mask_that_is_refused_leaves_its_photo(atelier, signed_in):
    bad = upload(mask_png(size=(SIZE[1], SIZE[0])), "mask.png", "image/png")
    answer = signed_in("alice").post(
        "/catalog/upload", {"photos": upload(jpeg(size=SIZE)), "mask": bad}, headers=SCRIPT
    )
    assert error(answer) == (400, "mask_wrong_size")
    assert GarmentPhoto.objects.count() == 1 and not GarmentMask.objects.exists()


def test_its_address_changes_with_it_and_the_old_one_ends(shown, save, signed_in):
    client = signed_in("alice")
    first = save().json()["mask"]
    second = save(mask=mask_file(box=(0, 0, 40, 40)), base=first["sha256"]).json()["mask"]
    assert first["url"] != second["url"]
    assert client.get(first["url"]).status_code == 404 and client.get(second["url"]).status_code == 200


def test_a_viewer_looks_and_changes_nothing(shown, save, signed_in):
    vera = signed_in("vera")
    state = vera.get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert state["can_write"] is False and state["mask"] is None
    assert save("vera").status_code == 403
    assert vera.post(f"/catalog/photos/{shown.pk}/cut/reset").status_code == 403


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (mask_png(size=(SIZE[1], SIZE[0])), 400, "mask_wrong_size"),
        (mask_png(box=(0, 0, 0, 0)), 400, "mask_empty"),
        (mask_png()[:100], 400, "mask_damaged"),
        (png_bomb(), 400, "mask_too_large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400, "mask_format_unsupported"),
        (b"", 400, "mask_empty"),
        (b"x" * (25 * 2**20 + 1), 413, "photo_file_too_large"),
    ],
    ids=["another size", "all black", "cut off", "a bomb", "svg", "nothing", "huge"],
)
def test_what_is_no_mask_of_this_photo_is_refused_and_nothing_is_kept(shown, save, data, status, code):
    before = {file.key for file in storage.private().listed("m/")}
    assert error(save(mask=upload(data, "mask.png", "image/png"))) == (status, code)
    assert {file.key for file in storage.private().listed("m/")} == before and not GarmentMask.objects.exists()


@pytest.mark.parametrize(
    ("edits", "status", "code"),
    [
        ("[1]", 400, "edits_invalid"),
        ("{", 400, "edits_invalid"),
        ('{"a": NaN}', 400, "edits_invalid"),
        ('{"a": "\\u0000"}', 400, "edits_invalid"),
        ('{"a": 1e999}', 400, "edits_invalid"),
        ('{"a": "\\ud800"}', 400, "edits_invalid"),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", 400, "edits_invalid"),
        ('{"a": ' + "[" * 90_000 + "]" * 90_000 + "}", 400, "edits_invalid"),
        (json.dumps({"a": "é" * 100_001}, ensure_ascii=False), 413, "edits_too_large"),
    ],
    ids=["a list", "no json", "nan", "nul", "infinite", "half a character", "deep", "very deep", "long"],
)
def test_edits_are_an_object_of_a_size_and_depth(shown, save, edits, status, code):
    assert error(save(edits=edits)) == (status, code)
    assert not GarmentMask.objects.exists()


def test_reset_leaves_what_was_found(shown, save, signed_in):
    save()
    answer = signed_in("bob").post(f"/catalog/photos/{shown.pk}/cut/reset", headers=SCRIPT)
    assert answer.json()["mask"] is None and not GarmentMask.objects.exists()


def test_without_scripts_a_form_does_it_and_leads_back(shown, signed_in):
    alice = signed_in("alice")
    page = alice.get(f"/catalog/photos/{shown.pk}/cut", {"next": "/shoot"})
    text = page.content.decode()
    assert page["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "200 × 300 pixels" in text and 'href="/shoot"' in text and 'name="mask"' in text
    data = {"mask": mask_file(), "base": "", "next": "/shoot"}
    answer = alice.post(f"/catalog/photos/{shown.pk}/cut/save", data)
    assert (answer.status_code, answer["Location"]) == (302, "/shoot")
    assert "Marked by hand" in alice.get(f"/catalog/photos/{shown.pk}/cut").content.decode()
    answer = alice.post(f"/catalog/photos/{shown.pk}/cut/reset", {"next": "https://evil.example/"})
    assert answer["Location"] == f"/catalog/garments/{shown.garment_id}"


def test_a_file_that_is_missing_and_one_that_is_another_merchants(shown, signed_in):
    alice = signed_in("alice")
    assert error(alice.post(f"/catalog/photos/{shown.pk}/cut/save", {}, headers=SCRIPT)) == (400, "no_file")
    charlie = signed_in("charlie")
    for end in ("", "/state", "/embedding"):
        assert charlie.get(f"/catalog/photos/{shown.pk}/cut{end}").status_code == 404
    for end in ("/save", "/reset", "/decode"):
        assert charlie.post(f"/catalog/photos/{shown.pk}/cut{end}").status_code == 404


def test_a_rejected_photo_takes_no_mask_and_shows_none(shown, save, signed_in):
    url = save().json()["mask"]["url"]
    Asset.objects.update(moderation="rejected")
    assert signed_in("alice").get(url).status_code == 404
    assert error(save(base=GarmentMask.objects.get().sha256)) == (409, "photo_rejected")


@pytest.mark.django_db(transaction=True)
def test_the_mask_goes_with_its_photo(shown, save):
    save()
    photos.delete_photo(photo=shown)
    assert not GarmentMask.objects.exists() and list(storage.private().listed("m/")) == []


def test_the_same_photo_in_two_garments_has_one_mask(atelier, shown, save, signed_in):
    from tests.catalog.cutting import garment

    twin, _ = photos.add_photo(garment=garment(atelier, "Set"), merchant=atelier, file=jpeg(1, SIZE))
    saved = save().json()["mask"]["sha256"]
    assert signed_in("alice").get(f"/catalog/photos/{twin.pk}/cut/state").json()["mask"]["sha256"] == saved


def test_a_write_that_fails_leaves_no_file(atelier, shown, monkeypatch, cast):
    from tests.generation.conftest import actor_of

    actor = actor_of(cast.alice)
    before = {file.key for file in storage.private().listed("m/")}
    monkeypatch.setattr(masks, "lock_asset", lambda asset: (_ for _ in ()).throw(RuntimeError("the database is away")))
    with pytest.raises(RuntimeError):
        masks.save_mask(actor=actor, asset=shown.asset, data=mask_png(), base="", edits=None)
    assert {file.key for file in storage.private().listed("m/")} == before


# --- clicks that the server works out ---------------------------------------------------------------------------------
@pytest.fixture
def embedded(shown):
    with light_executor():
        return embed(shown.asset)


@pytest.fixture
def decode(shown, signed_in):
    client = signed_in("vera")

    def call(body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"/catalog/photos/{shown.pk}/cut/decode"
        return client.post(url, data, content_type="application/json", headers=SCRIPT)

    return call


def plane(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f2").tobytes()).decode()


def test_the_decoder_is_loaded_and_asked_on_a_wide_stack(embedded, decode, monkeypatch):
    threads = []

    class Heard(OnnxDecoder):
        def __init__(self, data):
            threads.append(threading.current_thread().name)
            super().__init__(data)

        def answer(self, *args, **options):
            threads.append(threading.current_thread().name)
            return super().answer(*args, **options)

    monkeypatch.setattr(decoding, "OnnxDecoder", Heard)
    decoding._loaded.cache_clear()
    try:
        assert decode({"points": [[50, 60]], "labels": [1], "box": None, "mask_input": None}).status_code == 200
    finally:
        decoding._loaded.cache_clear()
    assert threads == ["wide-stack", "wide-stack"]


def test_a_click_is_answered_as_the_decoder_answers_it(embedded, decode):
    answer = decode({"points": [[50, 60.5], [10, 10]], "labels": [1, 0], "box": None, "mask_input": None}).json()
    values = decode_embedding(gzip.decompress(storage.read(embedded.key)))
    prompt = Prompt([(50.0, 60.5), (10.0, 10.0)], [1, 0])
    wanted = OnnxDecoder(bundled().read("decoder.onnx")).answer(values, prompt, size=SIZE)
    assert len(answer["low_res"]) == len(answer["iou"]) == 4
    for text, expected in zip(answer["low_res"], wanted.low_res, strict=True):
        got = np.frombuffer(base64.b64decode(text), "<f2").reshape(256, 256)
        np.testing.assert_allclose(got, expected, atol=1e-2 * np.abs(wanted.low_res).max())
    np.testing.assert_allclose(answer["iou"], wanted.scores, atol=1e-5)


def test_a_box_and_an_earlier_answer_change_what_is_found(embedded, decode):
    alone = decode({"points": [[50, 60]], "labels": [1]}).json()
    boxed = decode({"points": [[50, 60]], "labels": [1], "box": [10, 10, 190, 280]}).json()
    refined = decode({"points": [[50, 60]], "labels": [1], "mask_input": plane(np.full((256, 256), 4.0))}).json()
    assert len({answer["low_res"][0] for answer in (alone, boxed, refined)}) == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "prompt_invalid"),
        (b"[]", "prompt_invalid"),
        ({"points": [[1, 1]], "labels": [1], "more": 1}, "prompt_invalid"),
        ({}, "prompt_missing"),
        ({"points": [[1, "1"]], "labels": [1]}, "points_invalid"),
        ({"points": [[1]], "labels": [1]}, "points_invalid"),
        ({"points": "all", "labels": [1]}, "points_invalid"),
        ({"points": [[1, 301]], "labels": [1]}, "points_invalid"),
        (b'{"points": [[1, NaN]], "labels": [1]}', "points_invalid"),
        (b'{"points": [[1e999, 2]], "labels": [1]}', "points_invalid"),
        ({"points": [[10**400, 1]], "labels": [1]}, "points_invalid"),
        ({"points": [[1, 1]] * 101, "labels": [1] * 101}, "points_invalid"),
        ({"points": [[1, 1]], "labels": []}, "labels_invalid"),
        ({"points": [[1, 1]], "labels": [2]}, "labels_invalid"),
        ({"points": [[1, 1]], "labels": [True]}, "labels_invalid"),
        ({"box": [5, 5, 5, 9]}, "boxes_invalid"),
        ({"box": [5, 5, 9]}, "boxes_invalid"),
        ({"points": [[1, 1]], "labels": [1], "mask_input": "AAAA"}, "mask_input_invalid"),
        ({"points": [[1, 1]], "labels": [1], "mask_input": "é"}, "mask_input_invalid"),
        ({"points": [[1, 1]], "labels": [1], "mask_input": plane(np.full((256, 256), np.inf))}, "mask_input_invalid"),
    ],
)
def test_what_is_no_click_is_refused_by_its_code(embedded, decode, body, code):
    assert error(decode(body)) == (400, code)


def test_a_body_that_is_too_long_and_a_photo_that_is_not_read_yet(shown, decode):
    assert error(decode(b"x" * (decoding.MOST_BYTES + 1))) == (413, "body_too_large")
    assert error(decode({"points": [[1, 1]], "labels": [1]})) == (409, "embedding_not_ready")


def test_a_merchant_clicks_so_many_times_a_minute_and_its_neighbour_as_often(shown, decode, monkeypatch):
    monkeypatch.setattr(decoding, "A_MINUTE", 2)
    codes = [error(decode(b"{"))[1] for _ in range(3)]
    assert codes == ["prompt_invalid", "prompt_invalid", "too_many_requests"]
    refused = decode(b"{")
    assert refused.status_code == 429 and 0 < int(refused["Retry-After"]) <= 60


def test_who_waits_too_long_for_a_turn_is_told_to_come_again(embedded, decode, monkeypatch):
    monkeypatch.setattr(decoding, "PATIENCE", 0.0)
    with decoding._turn:
        refused = decode({"points": [[1, 1]], "labels": [1]})
    assert error(refused) == (503, "decoder_busy") and refused.json()["error"]["retryable"]
    assert decode({"points": [[1, 1]], "labels": [1]}).status_code == 200
