"""How somebody stands on a photo: seen by the look, said otherwise by the merchant, drawn as the engine gets it."""

from __future__ import annotations

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from accounts.actors import member
from accounts.models import Membership
from catalog.models import Look, PhotoSkeleton, Pose
from catalog.services import assets, photos, skeletons
from catalog.services.garments import Details, create_garment
from generation import orders
from generation.access import access_photo
from generation.orders import Choices
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.scope import merchant_scope
from studio.pose.body import Proportions
from studio.pose.openpose import COLOURS
from studio.pose.retarget import retarget
from studio.pose.types import J
from studio.shoot import by_hand
from tests.catalog.pictures import jpeg
from tests.catalog.test_the_catalog_over_the_api import program

SIZE = (400, 600)
LEFT_WRIST, DISC, SHOULDERS = int(J.LEFT_WRIST), 7, (2, 5)  # of the 33, and of OpenPose's 18


@pytest.fixture
def photo(atelier):
    """A photo on which somebody was seen standing."""
    garment = create_garment(merchant=atelier, details=Details(name="Coat"))
    found, _new = photos.add_photo(garment=garment, merchant=atelier, file=jpeg(1, SIZE), view="front")
    look = found.asset.look
    look.found, look.status = {"parts": [], "best": None, "pose": {"rows": seen(), "size": list(SIZE)}}, "succeeded"
    look.save()
    return found


def seen(name: str = "front") -> list[list[object]]:
    pose = retarget(name, Proportions(), SIZE)
    return [[*(round(float(v), 3) for v in p), 0.9, "seen"] for p in pose.points]


def moved(by: tuple[float, float] = (40, -90)) -> list[list[float]]:
    rows = [list(row[:4]) for row in seen()]
    rows[LEFT_WRIST] = [rows[LEFT_WRIST][0] + by[0], rows[LEFT_WRIST][1] + by[1], 0.0, 1.0]
    return rows


def address(photo, what: str) -> str:
    return f"/catalog/photos/{photo.pk}/skeleton{what}"


def post(client, photo, what: str, body: object):
    headers = {"X-Requested-With": "XMLHttpRequest"}
    return client.post(address(photo, what), json.dumps(body), content_type="application/json", headers=headers)


def picture(answer) -> np.ndarray:
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png"), answer.content
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def disc(drawn: np.ndarray, joint: int = DISC) -> np.ndarray:
    """Where a joint is drawn, the left wrist by itself: limbs have 60 % of these colours."""
    ys, xs = np.nonzero((drawn[..., :3] == COLOURS[joint]).all(axis=2))
    return np.array([xs.mean(), ys.mean()])


def test_what_was_seen_counts_until_somebody_says_otherwise(photo, signed_in):
    alice = signed_in("alice")
    state = alice.get(address(photo, "/state")).json()
    assert (state["status"], state["seen"], state["saved"], state["version"]) == ("ready", True, False, "")
    assert state["rows"] == state["start"] == seen()
    assert (state["photo"]["width"], state["photo"]["height"]) == SIZE
    assert {pose["own"] for pose in state["poses"]} == {False}
    told = post(alice, photo, "/save", {"landmarks": moved(), "base": ""}).json()
    assert told["saved"] and told["version"]
    assert told["start"] == seen()
    assert told["rows"][LEFT_WRIST] == [*moved()[LEFT_WRIST], "placed"]
    assert [row[4] for row in told["rows"]].count("placed") == 1
    assert alice.get(address(photo, "/state")).json() == told
    again = post(alice, photo, "/reset", {}).json()
    assert (again["rows"], again["saved"], again["version"]) == (seen(), False, "")


def test_a_save_over_somebody_elses_is_refused(photo):
    first = skeletons.save_skeleton(asset=photo.asset, landmarks=moved(), base="")
    with pytest.raises(Conflict) as caught:
        skeletons.save_skeleton(asset=photo.asset, landmarks=moved((5, 5)), base="")
    assert caught.value.code == "skeleton_changed"
    skeletons.save_skeleton(asset=photo.asset, landmarks=moved((9, 9)), base=skeletons.version_of(first))
    saved = PhotoSkeleton.objects.get(asset=photo.asset)
    assert saved.landmarks[LEFT_WRIST][0] == pytest.approx(float(seen()[LEFT_WRIST][0]) + 9)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: rows[:32], "skeleton_wrong_length"),
        (lambda rows: [row[:3] for row in rows], "skeleton_wrong_length"),
        (lambda rows: "33", "skeleton_wrong_length"),
        (lambda rows: [["1", 2, 0, 1]] * 33, "skeleton_not_numbers"),
        (lambda rows: [[True, 2, 0, 1]] * 33, "skeleton_not_numbers"),
        (lambda rows: [[float("nan"), 2, 0, 1]] * 33, "skeleton_not_finite"),
        (lambda rows: [[10**400, 2, 0, 1]] * 33, "skeleton_not_finite"),
        (lambda rows: [[1801, 2, 0, 1], *rows[1:]], "skeleton_out_of_range"),
        (lambda rows: [[1, 2, 0, 1.01], *rows[1:]], "skeleton_out_of_range"),
        (lambda rows: [[1, 2, 0, 1]] * 33, "skeleton_too_small"),
        (lambda rows: [[*row[:3], 0.2] for row in rows], "skeleton_too_small"),
    ],
)
def test_what_is_no_skeleton_is_refused_and_nothing_kept(photo, signed_in, change, code):
    answer = post(signed_in("alice"), photo, "/save", {"landmarks": change(moved())})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert answer.json()["error"]["field"] == "landmarks"
    with merchant_scope(photo.merchant_id):
        assert not PhotoSkeleton.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{", "7"])
def test_a_body_that_is_no_object_is_refused(photo, signed_in, body):
    answer = signed_in("alice").post(address(photo, "/save"), body, content_type="application/json")
    assert answer.status_code == 400


def test_the_drawing_is_what_the_engine_gets(photo, signed_in):
    """Pixel for pixel what the studio renders on the frame of the crop, for rows that were never saved."""
    from studio.pose.frame import canvas_for, on_frame
    from studio.pose.openpose import render_skeleton
    from studio.shoot.said import said

    alice = signed_in("alice")
    before = picture(alice.get(address(photo, "/control")))
    after = picture(post(alice, photo, "/control", {"landmarks": moved(), "crop": "head-to-toe"}))
    pose = said(tuple(tuple(row) for row in moved()), SIZE)
    wanted = render_skeleton(on_frame(pose, canvas_for(pose, "head-to-toe").box, (512, 768)))
    assert np.array_equal(after, np.asarray(wanted))
    assert before.shape == (768, 512, 3)
    assert disc(before)[1] - disc(after)[1] > 80
    waist = picture(post(alice, photo, "/control", {"landmarks": moved(), "crop": "waist-up"}))
    wide, narrow = (abs(np.subtract(*(disc(drawn, joint) for joint in SHOULDERS))[0]) for drawn in (waist, after))
    assert wide > 1.5 * narrow, "the frame is closer"
    refused = post(alice, photo, "/control", {"landmarks": moved(), "crop": "ear-up"})
    assert refused.json()["error"]["code"] == "crop_unknown"


def test_the_layer_lies_on_the_photo(photo, signed_in):
    alice = signed_in("alice")
    drawn = picture(alice.get(address(photo, "/layer")))
    assert drawn.shape == (600, 400, 4)
    assert np.allclose(disc(drawn), [float(v) for v in seen()[LEFT_WRIST][:2]], atol=1)
    assert drawn[0, 0, 3] == 0
    post(alice, photo, "/save", {"landmarks": moved()})
    answer = alice.get(address(photo, "/layer"))
    assert np.allclose(disc(picture(answer)), moved()[LEFT_WRIST][:2], atol=1)
    assert "no-store" in answer["Cache-Control"]


def test_a_pose_is_put_on_the_figure_as_a_shoot_would(photo, signed_in):
    alice = signed_in("alice")
    with merchant_scope(photo.merchant_id):
        pose = Pose.objects.get(name="hand-raised", merchant=None)
    rows = [row[:4] for row in seen()]
    body = {"pose": str(pose.pk), "landmarks": rows}
    placed = post(alice, photo, "/place", body).json()["rows"]
    trunk = [J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.LEFT_HIP, J.RIGHT_HIP]
    assert np.allclose([placed[j][:2] for j in trunk], [rows[j][:2] for j in trunk], atol=0.02)
    assert rows[J.LEFT_WRIST][1] - placed[J.LEFT_WRIST][1] > 100, "the left hand is up"
    assert abs(rows[J.RIGHT_WRIST][1] - placed[J.RIGHT_WRIST][1]) < 40
    mirrored = post(alice, photo, "/place", {**body, "mirror": True}).json()["rows"]
    assert rows[J.RIGHT_WRIST][1] - mirrored[J.RIGHT_WRIST][1] > 100
    missing = post(alice, photo, "/place", {**body, "pose": "7"})
    assert (missing.status_code, missing.json()["error"]["field"]) == (404, "pose")
    with merchant_scope(photo.merchant_id):
        assert not PhotoSkeleton.objects.exists()


def test_a_pose_is_kept_among_ones_own_and_can_be_placed_again(photo, signed_in):
    alice = signed_in("alice")
    open_arms = [row[:4] for row in seen("arms-open")]
    told = post(alice, photo, "/keep", {"title": "Wave", "landmarks": open_arms})
    assert (told.status_code, told.json()["pose"]["own"], told.json()["pose"]["ready"]) == (201, True, True)
    with merchant_scope(photo.merchant_id):
        pose = Pose.objects.exclude(merchant=None).get()
        assert (pose.title, pose.landmarks) == ("Wave", open_arms)
        assert (pose.asset.width, pose.asset.height) == (512, 768)
    assert told.json()["pose"]["image"]
    state = alice.get(address(photo, "/state")).json()
    assert [item["label"] for item in state["poses"] if item["own"]] == ["Wave"]
    body = {"pose": str(pose.pk), "landmarks": [row[:4] for row in seen()]}
    placed = post(alice, photo, "/place", body).json()["rows"]
    assert placed[LEFT_WRIST][0] - float(seen()[LEFT_WRIST][0]) > 40
    nameless = post(alice, photo, "/keep", {"title": " ", "landmarks": moved()})
    assert (nameless.status_code, nameless.json()["error"]["code"]) == (400, "name_missing")


def test_where_nobody_was_seen_a_figure_stands_to_begin_with(atelier, signed_in):
    garment = create_garment(merchant=atelier, details=Details(name="Bag"))
    photo, _new = photos.add_photo(garment=garment, merchant=atelier, file=jpeg(2, SIZE), view="front")
    alice = signed_in("alice")
    state = alice.get(address(photo, "/state")).json()
    assert (state["status"], state["seen"]) == ("waiting", False)
    assert {row[4] for row in state["rows"]} == {"invented"}
    assert 0 < state["rows"][J.NOSE][1] < state["rows"][J.LEFT_HEEL][1] < 600
    assert post(alice, photo, "/save", {"landmarks": state["rows"]}).status_code == 200


def test_a_shoot_as_photographed_is_ordered_with_it(photo, cast):
    def frozen(**choices):
        fresh = access_photo(member(Membership.objects.get(user=cast.alice)), photo.pk)
        given = {"photo": fresh, "persona": orders.first(orders.Persona), "scene": orders.first(orders.Scene)}
        return orders.put_together(Choices(), **{**given, "pose": None, **choices}).order["body"]["order"]

    assert "photo_pose" not in frozen()
    skeletons.save_skeleton(asset=photo.asset, landmarks=moved())
    assert frozen()["photo_pose"] == moved()
    assert frozen()["pose"] == "as-photographed"
    assert "photo_pose" not in frozen(pose=Pose.objects.get(name="walking", merchant=None))
    skeletons.reset_skeleton(asset=photo.asset)
    assert "photo_pose" not in frozen()


def test_viewers_look_and_change_nothing(photo, signed_in):
    vera = signed_in("vera")
    assert vera.get(address(photo, "")).status_code == 200
    assert vera.get(address(photo, "/state")).json()["can_write"] is False
    assert picture(vera.get(address(photo, "/control"))).any()
    for what in ("/save", "/reset", "/place", "/keep", "/control"):
        assert post(vera, photo, what, {"landmarks": moved()}).status_code == 403, what


def test_a_removed_photo_shows_and_takes_no_skeleton(photo, signed_in):
    photo.asset.moderation = "rejected"
    photo.asset.save()
    alice = signed_in("alice")
    body = {"landmarks": moved(), "title": "Mine", "crop": "head-to-toe"}
    for what in ("", "/state", "/layer", "/control"):
        assert alice.get(address(photo, what)).status_code == 409, what
    for what in ("/save", "/reset", "/place", "/keep", "/control"):
        answer = post(alice, photo, what, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "photo_rejected"), what


@pytest.mark.parametrize("what", ["standing", "placed", "control_png", "layer_png"])
def test_the_figure_is_worked_out_on_a_wide_stack(photo, signed_in, monkeypatch, what):
    real, threads = getattr(by_hand, what), []

    def heard(*args, **options):
        threads.append(threading.current_thread().name)
        return real(*args, **options)

    monkeypatch.setattr(by_hand, what, heard)
    if what == "standing":
        Look.objects.all().delete()  # nobody was seen
    alice, pose = signed_in("alice"), Pose.objects.filter(merchant=None).first()
    assert alice.get(address(photo, "/layer")).status_code == 200
    assert post(alice, photo, "/control", {"landmarks": moved(), "crop": "head-to-toe"}).status_code == 200
    assert post(alice, photo, "/place", {"pose": str(pose.pk), "landmarks": moved()}).status_code == 200
    assert threads and set(threads) == {"wide-stack"}


def test_it_goes_with_its_photo(photo):
    skeletons.save_skeleton(asset=photo.asset, landmarks=moved())
    asset_id = photo.asset_id
    photos.delete_photo(photo=photo)
    assert not assets.Asset.objects.filter(pk=asset_id).exists()
    assert not PhotoSkeleton.objects.exists()


def test_without_scripts_the_page_shows_the_skeleton_and_offers_the_way_back(photo, signed_in):
    alice = signed_in("alice")
    page = alice.get(address(photo, "")).content.decode()
    assert address(photo, "/layer") in page and "<noscript>" in page
    assert address(photo, "/reset") not in page
    post(alice, photo, "/save", {"landmarks": moved()})
    assert address(photo, "/reset") in alice.get(address(photo, "")).content.decode()
    assert alice.post(address(photo, "/reset"), headers={"Accept": "text/html"}).status_code == 302
    with merchant_scope(photo.merchant_id), pytest.raises(Refused):
        skeletons.choice_of(Pose(name="gone"))


def test_a_program_reads_corrects_and_forgets_it(photo, cast):
    shop, url = program(cast), f"/api/v1/photos/{photo.pk}/skeleton"
    was = shop.get(url).json()
    assert (was["by_hand"], was["version"], was["width"]) == (False, "", photo.asset.width)
    assert was["landmarks"] == [[float(value) for value in row[:4]] for row in seen()]
    put = shop.put(url, {"landmarks": moved(), "base": ""}, content_type="application/json").json()
    assert put["by_hand"] and put["landmarks"] == moved() and put["version"]
    stale = shop.put(url, {"landmarks": moved((5, 5)), "base": ""}, content_type="application/json")
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "skeleton_changed")
    short = shop.put(url, {"landmarks": moved()[:5]}, content_type="application/json")
    assert (short.status_code, short.json()["error"]["field"]) == (400, "landmarks")
    far = [[1e9, 0.0, 0.0, 1.0], *moved()[1:]]
    refused = shop.put(url, {"landmarks": far}, content_type="application/json")
    assert refused.json()["error"]["code"] == "skeleton_out_of_range"
    assert shop.get(url).json()["landmarks"] == moved()
    assert shop.delete(url).status_code == 204 and shop.delete(url).status_code == 204
    assert shop.get(url).json() == was


def test_a_program_is_told_that_nobody_was_seen(atelier, cast):
    garment = create_garment(merchant=atelier, details=Details(name="Bag"))
    bare, _new = photos.add_photo(garment=garment, merchant=atelier, file=jpeg(2, SIZE), view="front")
    assert program(cast).get(f"/api/v1/photos/{bare.pk}/skeleton").status_code == 404
