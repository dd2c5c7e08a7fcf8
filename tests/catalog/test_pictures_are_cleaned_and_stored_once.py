"""What an upload becomes, and what it never becomes."""

from __future__ import annotations

import io
import stat
import threading
import zipfile

import pytest
from django.db import connection
from PIL import Image

from accounts.models import Merchant
from catalog.models import Asset, GarmentPhoto, Look
from catalog.services import assets, garments, photos
from catalog.services.garments import Details
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused
from imodel_site.lib.scope import merchant_scope
from studio.errors import StorageError
from tests.catalog.conftest import stored_keys
from tests.catalog.pictures import GPS, jpeg, photo, png, png_bomb, turned_with_gps, upload


def refusal(call) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


def test_an_upload_is_kept_with_three_thumbnails_and_a_look_is_queued(atelier, files):
    asset, new = assets.add_asset(merchant=atelier, file=upload(jpeg(size=(1500, 2250))))
    assert new
    assert (asset.width, asset.height, asset.content_type) == (1500, 2250, "image/jpeg")
    sizes = {name: Image.open(io.BytesIO(storage.read(key))).size for name, key in asset.thumbs.items()}
    assert sizes == {"small": (213, 320), "medium": (427, 640), "large": (853, 1280)}
    assert Look.objects.get(asset=asset).status == "queued"
    assert Merchant.objects.get(pk=atelier.pk).used_bytes == asset.bytes
    assert asset.bytes == sum(path.stat().st_size for path in files.rglob("*") if path.is_file())


def test_keys_say_whose_they_are_and_can_not_be_guessed(atelier, files):
    asset, _ = assets.add_asset(merchant=atelier, file=upload(jpeg()))
    keys = [asset.key, *asset.thumbs.values()]
    assert len(set(keys)) == 4
    for key in keys:
        room, merchant, kind, spread, name = key.split("/")
        assert (room, merchant, kind, len(spread)) == ("m", str(atelier.pk), "asset", 2)
        assert len(name.split(".")[0]) == 32
        assert stat.S_IMODE((files / key).stat().st_mode) == 0o600


def test_the_photo_is_turned_upright_and_nothing_but_pixels_survives(atelier):
    asset, _ = assets.add_asset(merchant=atelier, file=upload(turned_with_gps()))
    assert (asset.width, asset.height) == (120, 180)
    data = storage.read(asset.key)
    stored = Image.open(io.BytesIO(data))
    assert stored.size == (120, 180)
    red, green, _blue = stored.convert("RGB").getpixel((60, 20))
    assert red > 240 and green < 30, "orientation 6 turns the left edge to the top"
    assert not stored.getexif()
    assert GPS.encode() not in data and b"secret comment" not in data


def test_a_tail_behind_the_picture_is_not_kept(atelier):
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr("evil.php", "<?php system($_GET[0]);")
    data = jpeg() + tail.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(data)), "the upload is both a picture and an archive"
    asset, _ = assets.add_asset(merchant=atelier, file=upload(data))
    for key in (asset.key, *asset.thumbs.values()):
        kept = storage.read(key)
        assert b"evil.php" not in kept and not zipfile.is_zipfile(io.BytesIO(kept))


def test_a_small_png_stays_lossless_and_its_transparency_lies_on_white(atelier):
    image = photo(5, (200, 300)).convert("RGBA")
    image.putpixel((0, 0), (10, 200, 30, 0))
    asset, _ = assets.add_asset(merchant=atelier, file=upload(png(image), "cut.png", "image/png"))
    kept = Image.open(io.BytesIO(storage.read(asset.key)))
    assert (kept.format, kept.mode, asset.key[-4:]) == ("PNG", "RGB", ".png")
    assert kept.getpixel((0, 0)) == (255, 255, 255)
    assert kept.getpixel((50, 60)) == image.convert("RGB").getpixel((50, 60))


def _frames(kind: str) -> bytes:
    out = io.BytesIO()
    photo(1).save(out, kind, save_all=True, append_images=[photo(2)])
    return out.getvalue()


HOSTILE = {
    "photo_empty": b"",
    "photo_format_unsupported": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "photo_damaged": jpeg(size=(400, 600))[:3000],
    "photo_too_large": png_bomb(),
    "photo_too_small": jpeg(size=(20, 20)),
    "photo_animated": _frames("WEBP"),
    "photo_heic_unsupported": b"\0\0\0\x18ftypheic" + bytes(100),
    "photo_file_too_large": b"\xff\xd8\xff" + bytes(25 * 2**20),
}


@pytest.mark.parametrize("code", HOSTILE)
def test_a_bad_file_is_refused_by_name_and_leaves_nothing(atelier, code):
    assert refusal(lambda: assets.add_asset(merchant=atelier, file=upload(HOSTILE[code]))) == code
    assert not Asset.objects.exists() and not Look.objects.exists() and not stored_keys()
    assert Merchant.objects.get(pk=atelier.pk).used_bytes == 0


def test_a_gif_under_a_jpegs_name_is_refused(atelier):
    code = refusal(lambda: assets.add_asset(merchant=atelier, file=upload(_frames("GIF"), "dress.jpg")))
    assert code == "photo_format_unsupported"


def test_the_same_bytes_twice_are_one_asset_for_a_merchant_and_another_for_the_other(cast):
    data = jpeg(7)
    with merchant_scope(cast.atelier.pk):
        first, new = assets.add_asset(merchant=cast.atelier, file=upload(data))
        again, newer = assets.add_asset(merchant=cast.atelier, file=upload(data, "other name.jpg"))
        assert (new, newer, first.pk) == (True, False, again.pk)
        assert len(stored_keys()) == 4 and Look.objects.count() == 1
    with merchant_scope(cast.bazaar.pk):
        theirs, new = assets.add_asset(merchant=cast.bazaar, file=upload(data))
        assert new and theirs.pk != first.pk and theirs.key != first.key


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_at_once_are_stored_and_counted_once(cast):
    data, found, troubles, start = jpeg(8, (300, 450)), [], [], threading.Barrier(4)

    def add() -> None:
        try:
            with merchant_scope(cast.atelier.pk):
                start.wait()
                found.append(photos.add_garment_with_photo(merchant=cast.atelier, file=data, file_name="a.jpg"))
        except Exception as error:  # noqa: BLE001  shown by the assertion below
            troubles.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    with merchant_scope(cast.atelier.pk):
        asset = Asset.objects.get()
        assert Look.objects.count() == GarmentPhoto.objects.count() == 1
        assert sum(new for _, new in found) == 1
        assert stored_keys() == sorted([asset.key, *asset.thumbs.values()])
        assert Merchant.objects.get(pk=cast.atelier.pk).used_bytes == asset.bytes


def test_the_quota_refuses_what_does_not_fit_and_keeps_no_file_of_it(atelier):
    asset, _ = assets.add_asset(merchant=atelier, file=jpeg(1))
    atelier.quota_bytes = asset.bytes + 100
    atelier.save(update_fields=["quota_bytes"])
    kept = stored_keys()
    assert refusal(lambda: assets.add_asset(merchant=atelier, file=jpeg(2))) == "quota_full"
    assert stored_keys() == kept and Asset.objects.count() == 1
    assert Merchant.objects.get(pk=atelier.pk).used_bytes == asset.bytes


def test_a_full_disk_leaves_no_row_and_may_be_tried_again(atelier, monkeypatch):
    import errno
    import os

    written = []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        assets.add_asset(merchant=atelier, file=jpeg(2))
    assert (caught.value.code, caught.value.retryable) == ("disk_full", True)
    assert not Asset.objects.exists() and not stored_keys()


def test_deleting_the_last_photo_gives_files_and_quota_back_and_the_others_keep_theirs(atelier):
    data = jpeg(4)
    one = garments.create_garment(merchant=atelier, details=Details("One"))
    two = garments.create_garment(merchant=atelier, details=Details("Two"))
    first, _ = photos.add_photo(garment=one, merchant=atelier, file=data)
    photos.add_photo(garment=two, merchant=atelier, file=data)
    photos.delete_photo(photo=first)
    assert len(stored_keys()) == 4, "the other garment has the same photo"
    with_commit(lambda: garments.delete_garments(garments=[two]))
    assert not stored_keys() and not Asset.objects.exists()
    assert Merchant.objects.get(pk=atelier.pk).used_bytes == 0


def with_commit(call) -> None:
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        call()


def test_an_asset_that_a_room_above_needs_stays(atelier, monkeypatch):
    monkeypatch.setattr(assets, "_users", [lambda asset: True])
    garment = garments.create_garment(merchant=atelier, details=Details("One"))
    photo_, _ = photos.add_photo(garment=garment, merchant=atelier, file=jpeg(4))
    with_commit(lambda: photos.delete_photo(photo=photo_))
    assert len(stored_keys()) == 4 and Asset.objects.exists()
