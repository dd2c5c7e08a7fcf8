"""Embeddings, masks and decoders on a disk and on an S3 server."""

from __future__ import annotations

import gzip

import pytest

from catalog.services import embeddings, masks, photos, segmenters
from imodel_site.lib import storage
from tests.catalog.cutting import embed, light_executor, mask_png, photo
from tests.generation.conftest import actor_of
from tests.lib.conftest import files, s3_server

__all__ = ["files", "s3_server"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_from_the_photo_to_nothing_left(files, atelier, cast, signed_in):  # the fixture
    shown = photo(atelier)
    with light_executor():
        found = embed(shown.asset)
    vera = signed_in("vera")
    answer = vera.get(f"/catalog/photos/{shown.pk}/cut/embedding", headers={"Accept-Encoding": "gzip"})
    packed, data = embeddings.read(found.key, found.sha256)
    assert answer.content == packed and gzip.decompress(packed) == data and len(packed) == found.bytes
    mask = masks.save_mask(actor=actor_of(cast.alice), asset=shown.asset, data=mask_png(), base="", edits={})
    assert storage.read(mask.key).startswith(b"\x89PNG")
    segmenters.keep_decoder(encoder="sam_vit_b:1", sha256=SHA, data=b"")
    assert segmenters.decoder_with(SHA).read() == b""
    photos.delete_photo(photo=shown)
    assert list(storage.private().listed("m/")) == []


SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes
