"""The look at a photo, by a real light executor; and what waits for it."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from catalog import tasks
from catalog.models import GarmentPhoto, Look, Pose
from catalog.samples import SAMPLES
from catalog.services import assets, libraries, looks
from catalog.services.sample_garments import add_sample_garments
from imodel_site.lib import storage
from imodel_site.lib.jobs import executors, rundir
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.signing import media_url
from studio.serve.client import JobError
from tests.catalog.pictures import jpeg


@pytest.fixture
def executor():
    """``python -m studio serve --light`` where the worker looks for it."""
    path = executors.socket_path("light", 0)
    rundir.path("x").parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "studio", "serve", "--socket", str(path), "--light"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield
    process.terminate()
    process.wait(timeout=20)


def look(asset) -> Look:
    work = claim_next("light", "test", models=[Look])
    assert work is not None and work.job.asset_id == asset.pk
    tasks.look_at_photo(work)
    return Look.objects.get(asset=asset)


def test_masks_and_skeleton_are_stored_shown_and_fill_the_pose_that_waited(atelier, executor, signed_in):
    sample = next(sample for sample in SAMPLES if sample.slug == "linen-shirt")
    data = sample.path.read_bytes()
    pose = libraries.make_pose(merchant=atelier, title="Like this", file=data)
    assert not libraries.is_ready(pose)
    found = look(pose.asset)
    assert found.status == "succeeded" and found.found["best"] is not None
    part = next(part for part in found.found["parts"] if part["part"] == found.found["best"])
    mask = Image.open(io.BytesIO(storage.read(part["key"])))
    assert mask.size == (1200, 1800) and abs(np.asarray(mask).mean() / 255 - part["share"]) < 0.01
    pose.refresh_from_db()
    assert libraries.is_ready(pose) and len(pose.landmarks) == 33 and len(pose.landmarks[0]) == 4
    alice = signed_in("alice")
    assert alice.get(media_url(found, f"mask-{part['part']}"))["Content-Type"] == "image/png"
    assert alice.get(media_url(found, "skeleton")).status_code == 200
    assert alice.get(media_url(found, "mask-none")).status_code == 404
    assert len(list(assets.keys_of(pose.asset))) == 4 + len(found.found["parts"]) + 1
    assert sorted(assets.look_keys(found)) == sorted(assets.referred_look_keys(atelier.pk))


def test_a_photo_that_was_lost_fails_by_itself_and_can_be_looked_at_again(atelier, executor):
    asset, _ = assets.add_asset(merchant=atelier, file=jpeg(1, (200, 300)))
    work = claim_next("light", "test", models=[Look])
    kept = storage.read(asset.key)
    storage.delete(asset.key)
    with pytest.raises((FileNotFoundError, JobError)):
        tasks.look_at_photo(work)
    work.fail("internal", "Lost.", retryable=True)
    storage.put(asset.key, kept)
    again = looks.look_again(asset=asset)
    assert again.status == "queued"
    assert look(asset).status == "succeeded"


def test_every_sample_garment_has_its_photo_and_a_second_time_adds_nothing(atelier):
    photos = sum(len(sample.photos) for sample in SAMPLES)
    assert len(add_sample_garments(merchant=atelier)) == len(SAMPLES)
    assert GarmentPhoto.objects.count() == photos
    assert add_sample_garments(merchant=atelier) == []
    assert Look.objects.filter(status="queued").count() == photos
    assert not Pose.objects.exclude(merchant=None).exists()
