"""Weights that only the workers have: their decoder is handed over, and the site tells the browser of it."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client

from catalog.models import Decoder, Embedding
from catalog.services import embeddings, segmenters
from imodel_site.lib import storage
from imodel_site.lib.jobs.claims import claim_next
from studio.errors import WeightsError
from studio.segmentation.bundled import DECODER, bundled
from tests.catalog.cutting import photo

LISTED = "sam_vit_b:ec2df6273261"  # Meta's own file, as studio.weights.registry knows it
OTHER = "sam_vit_b:0123456789ab"


@pytest.fixture(autouse=True)
def _vit(settings):
    settings.SEGMENTATION = "sam_vit_b"


def hand_over(encoder: str, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    segmenters.keep_decoder(encoder=encoder, sha256=sha256, data=data)
    return sha256


def finish(job: Embedding, encoder: str) -> None:
    """As the task does once the executor is done."""
    work = claim_next("light", "test", models=[Embedding])
    assert work.job.pk == job.pk
    data = bundled_npy()
    stored = embeddings.store(merchant_id=job.merchant_id, data=data)
    work.finish(write=lambda: embeddings.written(job=work.job, done={"encoder": encoder}), **stored)


def bundled_npy() -> bytes:
    import numpy as np

    from studio.segmentation.embedding_files import encode_embedding

    return encode_embedding(np.zeros((1, 256, 64, 64), np.float32))


def test_before_any_worker_has_spoken_the_registrys_weights_are_expected(atelier, signed_in):
    shown = photo(atelier)
    state = signed_in("alice").get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert Embedding.objects.get().encoder == state["embedding"]["encoder"] == LISTED
    assert state["decoder"] is None and state["encoder"] is None


def test_a_decoder_that_was_handed_over_is_served_to_members_for_ever(atelier, signed_in):
    shown = photo(atelier)
    data = bundled().read(DECODER)[:5000]
    sha256 = hand_over(LISTED, data)
    finish(Embedding.objects.get(), LISTED)
    alice = signed_in("alice")
    state = alice.get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert state["embedding"]["status"] == "ready"
    assert state["decoder"] == {"url": f"/catalog/decoders/{sha256}.onnx", "sha256": sha256, "bundled": False}
    answer = alice.get(state["decoder"]["url"])
    assert answer.content == data and "immutable" in answer["Cache-Control"]
    assert Client().get(state["decoder"]["url"]).status_code == 302


def test_a_worker_with_other_weights_than_expected_changes_what_is_expected(atelier, signed_in):
    first = photo(atelier, 1)
    hand_over(OTHER, b"theirs")
    finish(Embedding.objects.get(), OTHER)
    state = signed_in("alice").get(f"/catalog/photos/{first.pk}/cut/state").json()
    assert (state["embedding"]["encoder"], state["embedding"]["status"]) == (OTHER, "ready")
    assert photo(atelier, 2) and {row.encoder for row in Embedding.objects.all()} == {OTHER}


def test_weights_that_come_back_count_again_and_their_decoder_is_stored_once(atelier):
    one, two = hand_over(LISTED, b"one"), hand_over(OTHER, b"two")
    assert segmenters.current() == OTHER
    assert hand_over(LISTED, b"one") == one and segmenters.current() == LISTED
    assert Decoder.objects.count() == 2
    assert {file.key for file in storage.private().listed("shared/")} == {
        segmenters.key_of(one),
        segmenters.key_of(two),
    }


def test_a_decoder_whose_file_is_gone_is_stored_again_by_the_next_embedding(atelier):
    sha256 = hand_over(LISTED, b"one")
    storage.delete(segmenters.key_of(sha256))
    found = segmenters.decoder_of(LISTED)
    with pytest.raises(WeightsError) as refused:
        found.read()
    assert refused.value.code == "weights_missing"
    hand_over(LISTED, b"one")
    assert found.read() == b"one"


@pytest.mark.parametrize("encoder", [LISTED, OTHER])
def test_a_decoder_that_was_lost_is_asked_for_again_by_whoever_opens_a_photo(atelier, signed_in, encoder):
    shown, alice = photo(atelier), signed_in("alice")
    sha256 = hand_over(encoder, b"one")
    finish(Embedding.objects.get(), encoder)
    storage.delete(segmenters.key_of(sha256))
    answer = alice.get(f"/catalog/decoders/{sha256}.onnx", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "decoder_not_ready")
    assert answer.json()["error"]["retryable"] and "/" not in answer.json()["error"]["message"]
    state = alice.get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert state["embedding"]["status"] == "waiting"
    hand_over(encoder, b"one")
    finish(Embedding.objects.get(status="queued"), encoder)
    state = alice.get(f"/catalog/photos/{shown.pk}/cut/state").json()
    assert (state["embedding"]["status"], state["decoder"]["sha256"]) == ("ready", sha256)
    assert Embedding.objects.get().encoder == encoder


def test_bytes_that_are_not_those_of_the_hash_are_neither_taken_nor_opened(atelier):
    with pytest.raises(WeightsError):
        segmenters.keep_decoder(encoder=LISTED, sha256="0" * 64, data=b"one")
    assert not Decoder.objects.exists()
    sha256 = hand_over(LISTED, b"one")
    storage.put(segmenters.key_of(sha256), b"two")
    with pytest.raises(WeightsError) as refused:
        segmenters.decoder_of(LISTED).read()
    assert refused.value.code == "weights_damaged"
