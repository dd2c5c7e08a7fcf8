"""The embedding of a photo: by a real light executor, stored once, handed out to whoever may see the photo."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from catalog import tasks
from catalog.models import Embedding, Look
from catalog.samples import SAMPLES
from catalog.services import assets, embeddings, photos, segmenters
from imodel_site.lib import storage
from imodel_site.lib.jobs.claims import claim_next
from studio.images import open_photo
from studio.segmentation.bundled import bundled
from studio.segmentation.embedding_files import decode_embedding
from studio.segmentation.onnx_encode import OnnxEncoder
from tests.catalog.cutting import embed, garment, light_executor, photo
from tests.catalog.pictures import jpeg


@pytest.fixture
def executor():
    with light_executor():
        yield


def body(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_new_photo_is_embedded_by_the_bundled_encoder_and_handed_out_gzipped(atelier, executor, signed_in):
    sample = next(sample for sample in SAMPLES if sample.slug == "linen-shirt")
    shown, _ = photos.add_photo(garment=garment(atelier), merchant=atelier, file=sample.path.read_bytes())
    found = embed(shown.asset)
    assert (found.status, found.encoder) == ("succeeded", bundled().encoder)
    wanted = OnnxEncoder(bundled().read("encoder.onnx")).embed(open_photo(storage.read(shown.asset.key)))
    alice = signed_in("alice")
    state = alice.get(f"/catalog/photos/{shown.pk}/cut/state", headers={"Accept": "application/json"}).json()
    assert state["embedding"]["status"] == "ready" and state["embedding"]["encoder"] == found.encoder
    answer = alice.get(state["embedding"]["url"], headers={"Accept-Encoding": "gzip, deflate, br"})
    assert (answer["Content-Encoding"], answer["ETag"]) == ("gzip", state["embedding"]["etag"])
    assert answer["Cache-Control"].startswith("private") and int(answer["Content-Length"]) == found.bytes < 2_000_000
    npy = gzip.decompress(body(answer))
    np.testing.assert_allclose(decode_embedding(npy), wanted, atol=2e-3 * np.abs(wanted).max())
    plain = alice.get(state["embedding"]["url"], headers={"Accept-Encoding": "br, gzip;q=0"})
    assert "Content-Encoding" not in plain and body(plain) == npy
    again = alice.get(state["embedding"]["url"], headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_its_look_goes_first_and_whoever_opens_the_page_does_not_wait_for_those_behind(atelier, signed_in):
    first, second = photo(atelier, 1), photo(atelier, 2)
    for _ in range(2):
        work = claim_next("light", "test")
        assert isinstance(work.job, Look)
        work.finish()
    signed_in("vera").get(f"/catalog/photos/{second.pk}/cut")
    assert [claim_next("light", "test").job.asset_id for _ in range(2)] == [second.asset_id, first.asset_id]


def test_photos_of_other_things_than_garments_are_not_embedded(atelier):
    assets.add_asset(merchant=atelier, file=jpeg(4))
    assert Embedding.objects.count() == 0


def test_one_that_is_not_there_yet_is_asked_for_by_the_page_and_said_to_be_on_its_way(atelier, signed_in):
    shown = photo(atelier)
    Embedding.objects.all().delete()
    vera = signed_in("vera")
    for _ in range(2):
        state = vera.get(f"/catalog/photos/{shown.pk}/cut/state").json()
        assert (state["embedding"]["status"], state["embedding"]["url"]) == ("waiting", None)
    assert Embedding.objects.get().priority == embeddings.SOON
    refused = vera.get(f"/catalog/photos/{shown.pk}/cut/embedding", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "embedding_not_ready")
    assert refused.json()["error"]["retryable"]


def test_a_photo_that_has_two_garments_or_is_added_again_is_embedded_once(atelier):
    one = photo(atelier, 1)
    photos.add_photo(garment=garment(atelier, "Another"), merchant=atelier, file=jpeg(1, (200, 300)))
    embeddings.want(one.asset)
    assert Embedding.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_replaced_photo_takes_its_embedding_along_and_the_new_one_gets_its_own(atelier, executor):
    shown = photo(atelier, 1)
    old = embed(shown.asset)
    assert storage.read(old.key)
    new = photos.replace_photo(photo=shown, merchant=atelier, file=jpeg(2))
    assert [job.asset_id for job in Embedding.objects.all()] == [new.asset_id]
    with pytest.raises(FileNotFoundError):
        storage.read(old.key)


def test_another_encoder_makes_the_old_embedding_void_and_takes_its_place(atelier, executor):
    shown = photo(atelier, 1)
    found = embed(shown.asset)
    Embedding.objects.filter(pk=found.pk).update(encoder="sam_mini:000000000000")
    assert embeddings.want(shown.asset).status == "queued"
    assert Embedding.objects.count() == 2  # the old one stays until the new one is there
    work = claim_next("light", "test", models=[Embedding])
    tasks.embed_photo(work)
    new = Embedding.objects.get()
    assert (new.pk, new.encoder) == (work.job.pk, bundled().encoder) and new.key != found.key


@pytest.mark.django_db(transaction=True)
def test_the_old_embeddings_file_goes_with_its_row(atelier, executor):
    shown = photo(atelier, 1)
    old = embed(shown.asset)
    Embedding.objects.filter(pk=old.pk).update(encoder="sam_mini:000000000000")
    embeddings.want(shown.asset)
    tasks.embed_photo(claim_next("light", "test", models=[Embedding]))
    with pytest.raises(FileNotFoundError):
        storage.read(old.key)
    assert storage.read(Embedding.objects.get().key)


def test_what_failed_is_tried_again_an_hour_later_and_what_put_workers_away_never(atelier):
    shown = photo(atelier, 1)
    work = claim_next("light", "test", models=[Embedding])
    work.fail("internal", "Lost.", retryable=True)
    assert embeddings.want(shown.asset, soon=True).status == "failed"
    long_ago = timezone.now() - 2 * embeddings.PATIENCE
    Embedding.objects.update(finished_at=long_ago, error_code="gave_up")
    assert embeddings.want(shown.asset, soon=True).status == "failed"
    Embedding.objects.update(error_code="internal")
    assert embeddings.want(shown.asset, soon=True).status == "queued"


@pytest.mark.parametrize("takes", ["identity", "gzip, br"])
@pytest.mark.parametrize("spoil", ["gone", "damaged", "another"])
def test_a_file_that_is_not_what_was_stored_is_made_anew(atelier, executor, signed_in, spoil, takes):
    shown = photo(atelier, 1)
    found = embed(shown.asset)
    if spoil == "gone":
        storage.delete(found.key)
    else:
        other = gzip.compress(b"x" * 1000) if spoil == "another" else storage.read(found.key)[:5000]
        storage.put(found.key, other)
    headers = {"Accept": "application/json", "Accept-Encoding": takes}
    answer = signed_in("alice").get(f"/catalog/photos/{shown.pk}/cut/embedding", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "embedding_not_ready")
    anew = Embedding.objects.get()
    assert anew.status == "queued" and anew.pk != found.pk


def test_a_photo_whose_file_is_gone_does_not_stop_the_lane(atelier, executor):
    shown = photo(atelier, 1)
    storage.delete(shown.asset.key)
    work = claim_next("light", "test", models=[Embedding])
    with pytest.raises(FileNotFoundError):
        tasks.embed_photo(work)
    assert Embedding.objects.get().key == ""


def test_where_nothing_is_to_be_embedded_the_page_says_so(atelier, signed_in, settings):
    settings.SEGMENTATION = "none"
    shown = photo(atelier)
    state = signed_in("alice").get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert state["embedding"]["status"] == "none" and state["decoder"] is None and state["encoder"] is None
    assert Embedding.objects.count() == 0


def test_a_rejected_photo_hides_everything_that_was_cut_out_of_it(atelier, executor, signed_in):
    shown = photo(atelier, 1)
    embed(shown.asset)
    type(shown.asset).objects.update(moderation="rejected")
    alice = signed_in("alice")
    for end in ("", "/state", "/embedding"):
        answer = alice.get(f"/catalog/photos/{shown.pk}/cut{end}", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "photo_rejected"), end


def test_the_bundled_decoder_is_the_same_file_for_ever_and_for_members_only(atelier, signed_in):
    sha256 = bundled().sha256["decoder.onnx"]
    url = f"/catalog/decoders/{sha256}.onnx"
    answer = signed_in("vera").get(url)
    assert answer.content == (bundled().folder / "decoder.onnx").read_bytes()
    assert "immutable" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    assert signed_in("vera").get(f"/catalog/decoders/{'0' * 64}.onnx").status_code == 404
    assert Client().get(url).status_code == 302


def test_addresses_in_the_state_lead_to_the_bundled_files(atelier, signed_in):
    shown = photo(atelier)
    state = signed_in("alice").get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert state["decoder"]["bundled"] and state["decoder"]["sha256"] == bundled().sha256["decoder.onnx"]
    assert state["encoder"]["family"] == segmenters.current() and state["encoder"]["size"] == 512
    assert state["decoder"]["url"].startswith("/static/segmentation/decoder")
    assert state["encoder"]["url"].startswith("/static/segmentation/encoder")
