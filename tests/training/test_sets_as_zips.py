"""A set leaves as a zip in kohya's layout and comes in as one; what a stranger's zip may do is bounded."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from PIL import Image

from accounts.models import Merchant
from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Look
from imodel_site.lib import storage, uploads
from imodel_site.lib.errors import Conflict, Refused
from tests.api.conftest import error_of, program_of
from tests.generation.conftest import png
from tests.training.conftest import all_of, carry_out_next, checked, fresh, new_set
from training.models import SetArchive, TrainingPicture, TrainingSet
from training.services import archives, sets

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def found(atelier: Any, executor: Any) -> TrainingSet:
    """A checked set: a caption for each picture, one held out, one left out."""
    made = new_set(atelier)
    checked(atelier, made)
    with merchant_scope(atelier.merchant):
        last = made.pictures.order_by("position").first()
        sets.change_picture(actor=atelier.actor, picture=last, left_out=True)
        sets.set_mirrored(actor=atelier.actor, found=made, mirrored=False)
    return fresh(made)


def packed(shop: Any, found: TrainingSet) -> SetArchive:
    with merchant_scope(shop.merchant):
        made = archives.order_archive(actor=shop.actor, found=found)
    carry_out_next("light")
    return fresh(made)


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return buffer.getvalue()


def brought(shop: Any, data: bytes, garment: Any = None) -> SetArchive:
    file = TemporaryUploadedFile("theirs.zip", "application/zip", len(data), None)
    file.write(data)
    file.seek(0)
    with merchant_scope(shop.merchant):
        return archives.bring_archive(actor=shop.actor, garment=garment or shop.garment, file=file, key=None)


THEIRS = {
    "set/4_abc12 gown/one.png": png((1, 2, 3)),
    "set/4_abc12 gown/one.txt": b"a photo of abc12 gown in a park\n",
    "set/4_abc12 gown/two.png": png((4, 5, 6)),
    "set/reg/1_gown/other.png": png((7, 8, 9)),
    "set/readme.html": b"<p>hello",
}


def test_what_leaves_is_read_by_the_trainer_and_comes_in_again_as_it_was(atelier, executor, found):
    made = packed(atelier, found)
    assert (made.status, made.error_message, made.taken) == ("succeeded", "", 6)
    names = zipfile.ZipFile(io.BytesIO(storage.read(made.key))).namelist()
    assert sum(name.endswith(".png") and not name.startswith("masks/") for name in names) == 6
    assert sum(name.startswith("held_out/") and name.endswith(".png") for name in names) == 1
    assert f"1_{found.trigger} dress/0001.txt" in names and "masks/0001.png" in names

    back = brought(atelier, storage.read(made.key))
    carry_out_next("light")
    back = fresh(back)
    assert (back.status, back.error_message) == ("succeeded", "")
    came = back.set_id and all_of(TrainingPicture, set=back.set_id)
    left = [one for one in all_of(TrainingPicture, set=found) if not one.left_out]
    told = lambda rows: sorted((one.caption, one.view, one.held_out, one.kind) for one in rows)  # noqa: E731  said twice
    assert told(came) == told(left)
    assert all(one.caption_by_hand and one.mask_key for one in came)
    with merchant_scope(atelier.merchant):
        again = TrainingSet.objects.get(pk=back.set_id)
        assert (again.trigger, again.mirrored) == (found.trigger, False)
    assert back.key == ""


def test_a_set_of_another_program_comes_in_with_what_its_names_say(atelier, executor):
    made = brought(atelier, zip_of(THEIRS))
    before = storage.private().exists(made.key)
    carry_out_next("light")
    assert before and not storage.private().exists(made.key)
    made = fresh(made)
    assert (made.status, made.error_message) == ("succeeded", "")
    assert (made.taken, made.skipped) == (3, ["set/readme.html"])
    came = all_of(TrainingPicture, set=made.set_id)
    assert [(one.caption, one.kind) for one in came] == [
        ("a photo of abc12 gown in a park", "garment"), ("gown", "prior"), ("abc12 gown", "garment"),
    ]  # fmt: skip
    with merchant_scope(atelier.merchant):
        assert TrainingSet.objects.get(pk=made.set_id).trigger == "abc12"


def link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        info = zipfile.ZipInfo("4_abc12 gown/one.png")
        info.external_attr = 0o120777 << 16
        zipped.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def many_entries() -> bytes:
    """A table of contents that states more entries than there may be, without any behind it."""
    return b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 60_000, 60_000, 46 * 60_000, 0, 0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zip_of({"../../4_abc12 gown/one.png": png((1, 1, 1))}), "archive_name_refused"),
        (zip_of({"/4_abc12 gown/one.png": png((1, 1, 1))}), "archive_name_refused"),
        (zip_of({"4_abc12 gown/one.PNG": b"", "4_abc12 gown/ONE.png": b""}), "archive_name_refused"),
        (link(), "archive_name_refused"),
        (many_entries(), "archive_too_large"),
        (zip_of(THEIRS)[:-40], "archive_damaged"),
        (b"no zip", "archive_damaged"),
        (zip_of({"readme.md": b"hello"}), "dataset_empty"),
    ],
)
def test_a_hostile_zip_is_refused_in_the_request_and_nothing_is_kept(atelier, data, code):
    with pytest.raises(Refused) as refused:
        brought(atelier, data)
    assert (refused.value.code, refused.value.field) == (code, "file")
    assert all_of(SetArchive) == []


def test_what_can_not_become_a_set_leaves_nothing_behind(atelier, executor):
    with unscoped("test"):
        assets, used = Asset.objects.count(), Merchant.objects.get(pk=atelier.merchant.pk).used_bytes
    broken = {**THEIRS, "set/4_abc12 gown/zzz.png": b"this is no picture"}
    many = {f"1_abc12 gown/{number}.png": png((number, 1, 1)) for number in range(sets.MOST_PICTURES + 1)}
    for files, code in ((broken, "photo_format_unsupported"), (many, "dataset_too_large")):
        made = brought(atelier, zip_of(files))
        carry_out_next("light")
        made = fresh(made)
        assert (made.status, made.error_code, made.set_id) == ("failed", code, None)
    with unscoped("test"):
        assert Asset.objects.count() == assets
        assert Merchant.objects.get(pk=atelier.merchant.pk).used_bytes == used
    assert all_of(TrainingSet) == []


def test_the_same_set_is_packed_once_and_a_changed_one_anew(atelier, executor, found):
    first = packed(atelier, found)
    with merchant_scope(atelier.merchant):
        assert archives.order_archive(actor=atelier.actor, found=found).pk == first.pk
        picture = found.pictures.filter(left_out=False).first()
        sets.change_picture(actor=atelier.actor, picture=picture, caption="other words")
        assert archives.order_archive(actor=atelier.actor, found=found).pk != first.pk


def test_after_a_week_a_zip_is_not_offered_and_collected(alice, atelier, executor, found):
    made = packed(atelier, found)
    page = f"/training/sets/archives/{made.pk}/"
    assert "Download" in alice.get(page).content.decode()
    with unscoped("test"):
        SetArchive.objects.filter(pk=made.pk).update(finished_at=F("finished_at") - timedelta(days=8))
    assert "not kept any more" in alice.get(page).content.decode()
    with merchant_scope(atelier.merchant):
        assert made.key not in set(storage.referrers()[archives.KIND](atelier.merchant.pk))


def test_a_rejected_photo_holds_back_the_zips_that_show_it(alice, atelier, executor, found):
    made = packed(atelier, found)
    program = program_of(atelier.merchant, atelier.actor.user)
    assert program.get(f"training-set-archives/{made.pk}").json()["url"]
    with unscoped("test"):
        Asset.objects.filter(pk=made.assets[0]).update(moderation="rejected")
    assert program.get(f"training-set-archives/{made.pk}").json()["url"] is None
    assert "not kept any more" in alice.get(f"/training/sets/archives/{made.pk}/").content.decode()
    with merchant_scope(atelier.merchant), pytest.raises(Conflict) as refused:
        archives.order_archive(actor=atelier.actor, found=fresh(found))
    assert refused.value.code == "photo_rejected"


def test_pages_pack_and_take_in(alice, atelier, executor, found):
    answer = alice.post(f"/training/sets/{found.pk}/export")
    carry_out_next("light")
    page = alice.get(answer["Location"]).content.decode()
    address = page.split('class="button primary" href="')[1].split('"')[0]
    data = b"".join(alice.get(address).streaming_content)
    form = alice.get("/training/sets/import").content.decode()
    assert atelier.garment.name in form
    sent = {"file": io.BytesIO(data), "garment": str(atelier.garment.pk), "once": "a"}
    sent["file"].name = "set.zip"
    answer = alice.post("/training/sets/import", sent)
    assert answer.status_code == 302, answer.content
    carry_out_next("light")
    assert alice.get(f"{answer['Location']}progress").json()["next"] == answer["Location"]
    came = alice.get(answer["Location"], follow=True)
    assert "6 pictures were taken in." in came.content.decode()
    assert alice.post("/training/sets/import", {"garment": str(atelier.garment.pk)}).status_code == 422


def test_programs_pack_and_take_in_and_no_others(atelier, bazaar, executor, found):
    program = program_of(atelier.merchant, atelier.actor.user)
    made = program.post(f"training-sets/{found.pk}/export")
    assert made.status_code == 202
    carry_out_next("light")
    told = program.get(made["Location"]).json()
    assert (told["status"], told["way"], told["taken"]) == ("succeeded", "out", 6)
    data = b"".join(Client().get(told["url"].removeprefix("http://testserver")).streaming_content)
    assert Image.open(io.BytesIO(zipfile.ZipFile(io.BytesIO(data)).read("masks/0001.png"))).mode == "L"

    with unscoped("test"):  # looks that were never carried out: how long the queue takes is learned from them
        Look.objects.update(started_at=Now(), finished_at=Now())
    foreign = program_of(bazaar.merchant, bazaar.actor.user)
    assert foreign.get(made["Location"]).status_code == 404
    assert foreign.post(f"training-sets/{found.pk}/export").status_code == 404
    file = io.BytesIO(data)
    file.name = "set.zip"
    headers = {"Authorization": f"Bearer {foreign.key}"}
    sent = {"file": file, "garment": str(atelier.garment.pk)}
    refused = Client(headers=headers).post("/api/v1/training-sets/import", sent)
    assert (refused.status_code, error_of(refused)["field"]) == (404, "garment")
    file.seek(0)
    taken = Client(headers=headers).post("/api/v1/training-sets/import", {**sent, "garment": str(bazaar.garment.pk)})
    assert taken.status_code == 202, taken.content
    carry_out_next("light")
    told = foreign.get(taken["Location"]).json()
    assert (told["status"], told["way"], told["url"]) == ("succeeded", "in", None)
    with merchant_scope(bazaar.merchant):
        assert TrainingSet.objects.get(pk=told["set"]).garment_id == bazaar.garment.pk


def test_larger_files_are_let_in_at_this_door_alone():
    assert uploads.most_bytes("/training/sets/import") == archives.MOST_BYTES
    assert uploads.most_bytes("/api/v1/training-sets/import") == archives.MOST_BYTES
    assert uploads.most_bytes("/catalog/import") == uploads.MAX_FILE_BYTES
