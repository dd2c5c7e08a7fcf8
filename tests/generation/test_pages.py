"""Following a shoot, one picture, many pictures: the pages as a browser without JavaScript uses them."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from accounts.scoping import merchant_scope, unscoped
from generation import previews, services
from generation.models import Picture, Shoot
from generation.orders import Choices
from imodel_site.lib import storage
from studio.provenance import read_labels
from tests.generation import scripted
from tests.generation.conftest import add_photo, carry_out_next, made, sign_in
from tests.generation.reading import only, orders, page

pytestmark = pytest.mark.django_db(transaction=True)


def tiles(text):
    """How many pictures the grid shows; the template that its script clones is none."""
    return text.split("<template")[0].count('class="tile"')


# --- following -----------------------------------------------------------------------------------------------------
def test_progress_answers_304_until_something_changes(alice, house):
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    address = reverse("generation:shoot_progress", args=[shoot.pk])
    first = alice.get(address)

    assert first.json() | {"eta_seconds": None} == {
        "status": "queued", "stage": "Waiting for its turn", "fraction": None, "position": 1, "eta_seconds": None,
        "preview": None, "pictures": [], "message": "", "done": False, "next": None,
    }  # fmt: skip
    assert alice.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    with unscoped("test"):
        Shoot.objects.filter(pk=shoot.pk).update(status="running", stage="painting", fraction=0.4)
    second = alice.get(address, headers={"If-None-Match": first["ETag"]})
    assert (second.status_code, second.json()["stage"], second.json()["fraction"]) == (200, "Painting", 0.4)


def test_a_live_preview_is_served_to_its_merchant_only(alice, house, neighbour, executor):
    seen = []

    def looks(link, message):
        link.say("progress", stage="painting", fraction=0.3)
        scripted.paints(link, message)

    true_keep = previews.keep

    def keep(*args):
        true_keep(*args)
        with unscoped("test"):
            shoot = Shoot.objects.get()
        progress = alice.get(reverse("generation:shoot_progress", args=[shoot.pk])).json()
        seen.append((progress["preview"], alice.get(progress["preview"]).content))

    executor.script = looks
    previews.keep = keep
    try:
        shoot = made(house)
    finally:
        previews.keep = true_keep

    address, data = seen[0]
    assert address.endswith("?n=1")
    assert Image.open(io.BytesIO(data)).size == (32, 48)
    assert alice.get(address).status_code == 404  # it has ended: the pictures say more
    assert previews.newest(neighbour.merchant.pk, shoot.pk) is None


def test_a_failure_says_why_and_offers_one_button(alice, house, executor):
    executor.script = scripted.fails("input", "garment_not_found", retryable=False)
    shoot = made(house)
    text = page(alice, "shoot", shoot.pk)
    assert "No garment was found" in text and "studio says" not in text
    assert text.count(reverse("generation:retry", args=[shoot.pk])) == 1


def test_a_running_shoots_page_reloads_itself_without_javascript(alice, house):
    with merchant_scope(house.merchant):
        shoot = services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    text = page(alice, "shoot", shoot.pk)
    assert '<noscript><meta http-equiv="refresh"' in text
    assert reverse("generation:cancel", args=[shoot.pk]) in text

    alice.post(reverse("generation:cancel", args=[shoot.pk]))
    text = page(alice, "shoot", shoot.pk)
    assert "cancelled" in text and "refresh" not in text.split("<main")[0]


def test_a_finished_shoot_shows_its_pictures(alice, house, executor):
    shoot = made(house, count=3)
    assert page(alice, "shoot", shoot.pk).count('class="tile"') == 3
    told = alice.get(reverse("generation:shoot_progress", args=[shoot.pk])).json()
    assert (told["done"], len(told["pictures"])) == (True, 3)
    picture = alice.get(told["pictures"][0]["url"])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/webp")


def test_again_clicked_twice_on_a_shoots_page_makes_one_more_shoot(alice, house, executor):
    shoot = made(house)
    again = reverse("generation:again", args=[shoot.pk])
    form = page(alice, "shoot", shoot.pk).split(f'action="{again}"')[1].split("</form>")[0]
    for _click in range(2):
        alice.post(again, dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)))
    assert len(orders()) == 2


# --- one picture ---------------------------------------------------------------------------------------------------
def test_the_picture_page_says_the_verdict_in_words_and_explains_each_figure(alice, house, executor):
    picture = only(made(house))
    text = page(alice, "picture", picture.pk)
    assert "pixels are untouched" in text
    assert "Missing: left forearm" in text
    assert "100 %" in text and "exactly the photo" in text
    assert "data-slider" in text
    assert "Linen shirt" in text


def test_a_picture_that_is_not_good_says_why_before_anything_is_opened(alice, house, executor):
    picture = only(made(house))
    found = [("pose_different", "The model stands differently."), ("sleeve_changed", "A sleeve looks longer.")]
    report = picture.report | {"reasons": [{"code": code, "message": message} for code, message in found]}
    for verdict, said in (("reject", 1), ("good", 0)):
        with unscoped("test"):
            Picture.objects.filter(pk=picture.pk).update(report=report, verdict=verdict)
        above = page(alice, "picture", picture.pk).split('<details class="disclosure"')[0]
        assert (above.count("The model stands differently."), above.count("A sleeve")) == (said, 0)


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("jpg", "JPEG")])
def test_downloads_carry_the_labels_in_every_format(alice, house, executor, suffix, kind):
    from studio.provenance import label

    picture = only(made(house))
    for variant, form in (("full", "png"), ("display", "webp")):
        data = label(Image.new("RGB", (64, 96)), format=form, composite=True, producer="p", content_id="c")
        storage.put(picture.files[variant]["key"], data)

    answer = alice.get(reverse("generation:download", args=[picture.pk, suffix]))

    assert Image.open(io.BytesIO(answer.content)).format == kind
    assert read_labels(answer.content).source_type == "compositeWithTrainedAlgorithmicMedia"
    assert "attachment" in answer["Content-Disposition"] and "ls-1-" in answer["Content-Disposition"]


def test_the_recipe_can_be_taken_along(alice, house, executor):
    picture = only(made(house))
    answer = alice.get(reverse("generation:recipe", args=[picture.pk]))
    assert answer.json() == {"recipe": picture.recipe}


def test_the_buttons_of_a_picture_do_what_they_say(alice, house, executor):
    picture = only(made(house))
    here = {"next": reverse("generation:picture", args=[picture.pk])}

    def fresh():
        with unscoped("test"):
            return Picture.objects.get(pk=picture.pk)

    alice.post(reverse("generation:favourite", args=[picture.pk]), here | {"on": "1"})
    assert fresh().favourite is True
    alice.post(reverse("generation:tag", args=[picture.pk]), here | {"tag": "  spring   sale "})
    assert "spring sale" in page(alice, "picture", picture.pk)
    alice.post(reverse("generation:tag", args=[picture.pk]), here | {"tag": "summer, linen，beach"})
    with unscoped("test"):
        assert {tag.name for tag in fresh().tags.all()} == {"spring sale", "summer", "linen", "beach"}
    alice.post(reverse("generation:tag", args=[picture.pk]), here | {"remove": "spring sale"})
    assert "spring sale" not in page(alice, "picture", picture.pk)
    alice.post(reverse("generation:delete", args=[picture.pk]))
    assert fresh().deleted_at is not None
    alice.post(reverse("generation:restore", args=[picture.pk]))
    assert fresh().deleted_at is None
    for name in ("vary", "replay"):
        answer = alice.post(reverse(f"generation:{name}", args=[picture.pk]), {"once": name})
        assert answer.status_code == 302
    answer = alice.post(reverse("generation:again", args=[picture.shoot_id]), {"once": "a"})
    assert [shoot.made_as for shoot in orders()] == ["new", "vary", "replay", "again"]


def test_next_never_leads_to_another_site(alice, house, executor):
    picture = only(made(house))
    answer = alice.post(
        reverse("generation:favourite", args=[picture.pk]), {"on": "1", "next": "https://evil.example/"}
    )
    assert answer["Location"] == reverse("generation:picture", args=[picture.pk])


# --- many ----------------------------------------------------------------------------------------------------------
def bulk(client, action, *ids, **more):
    return client.post(reverse("generation:bulk"), {"action": action, "pictures": ids, **more})


def test_a_zip_holds_the_labelled_files_as_they_are(alice, house, executor):
    shoot = made(house, count=3)
    with merchant_scope(house.merchant):
        pictures = list(Picture.objects.order_by("index"))

    answer = bulk(alice, "download", *[p.pk for p in pictures])

    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    names = [f"ls-1-{shoot.pk.hex[-6:]}-{n}.png" for n in (1, 2, 3)]
    assert sorted(archive.namelist()) == names
    assert archive.read(names[1]) == storage.read(pictures[1].files["full"]["key"])


def test_a_zip_says_what_is_missing(alice, house, executor):
    made(house, count=2)
    with merchant_scope(house.merchant):
        pictures = list(Picture.objects.order_by("index"))
    storage.delete(pictures[0].files["full"]["key"])

    answer = bulk(alice, "download", *[p.pk for p in pictures])
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert len(archive.namelist()) == 2
    assert archive.read("missing.txt").decode().endswith("-1.png\n")


@pytest.mark.parametrize("action", ["download", "favourite", "tag", "delete", "restore"])
def test_one_foreign_id_refuses_the_whole_call(alice, house, neighbour, executor, action):
    own, foreign = only(made(house)), only(made(neighbour))
    assert bulk(alice, action, own.pk, foreign.pk, tag="x").status_code == 404
    with unscoped("test"):
        own.refresh_from_db()
        assert (own.favourite, own.deleted_at, own.tags.count()) == (False, None, 0)


def test_bulk_actions_change_all_that_were_chosen(alice, house, executor):
    made(house, count=3)
    with merchant_scope(house.merchant):
        ids = list(Picture.objects.order_by("index").values_list("pk", flat=True))

    bulk(alice, "favourite", *ids[:2])
    bulk(alice, "tag", *ids[1:], tag="spring")
    bulk(alice, "delete", ids[2])

    with merchant_scope(house.merchant):
        rows = {p.index: p for p in Picture.objects.all()}
        assert [rows[k].favourite for k in range(3)] == [True, True, False]
        assert [rows[k].tags.count() for k in range(3)] == [0, 1, 1]
        assert [rows[k].deleted_at is None for k in range(3)] == [True, True, False]
    assert tiles(page(alice, "pictures")) == 2
    assert tiles(page(alice, "pictures", deleted="on")) == 1
    assert tiles(page(alice, "pictures", tag="spring")) == 1
    assert tiles(page(alice, "pictures", favourite="on")) == 2


# --- who sees what -------------------------------------------------------------------------------------------------
def test_another_merchants_shoots_and_pictures_answer_like_missing_ones(alice, house, neighbour, executor):
    from uuid import uuid4

    foreign = made(neighbour)
    picture = only(foreign)
    missing = uuid4()
    for name, own in [(name, foreign.pk) for name in ("shoot", "shoot_progress", "preview")] + [
        (name, picture.pk) for name in ("picture", "recipe")
    ]:
        theirs, none = (alice.get(reverse(f"generation:{name}", args=[pk])) for pk in (own, missing))
        assert theirs.status_code == none.status_code == 404
        assert _said(theirs, own) == _said(none, missing)
    for name, own in [(name, foreign.pk) for name in ("cancel", "retry", "again")] + [
        (name, picture.pk) for name in ("vary", "replay", "favourite", "tag", "delete", "restore")
    ]:
        assert alice.post(reverse(f"generation:{name}", args=[own])).status_code == 404
    assert alice.get(reverse("generation:download", args=[picture.pk, "png"])).status_code == 404
    assert "Secret dress" not in page(alice, "pictures") + page(alice, "shoots") + page(alice, "new")
    assert alice.get(reverse("generation:pictures"), {"garment": neighbour.garment.pk}).status_code == 404
    assert alice.get(reverse("generation:new"), {"photo": neighbour.photo.pk}).status_code == 404


def _said(answer, pk):
    """The page itself, without the id that was asked for and the token of each form."""
    text = answer.content.decode().replace(str(pk), "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text.split("<main")[1].split("</main")[0])


def test_a_viewer_sees_everything_and_starts_nothing(house, cast, executor):
    shoot = made(house)
    client = sign_in(cast.vera)
    for name, args in (("new", ()), ("shoots", ()), ("shoot", (shoot.pk,)), ("pictures", ()), ("expert", ())):
        page(client, name, *args)
    text = page(client, "picture", only(shoot).pk)
    assert "Again" not in text and "Delete" not in text
    assert client.post(reverse("generation:new"), {"photo": house.photo.pk}).status_code == 403
    assert client.post(reverse("generation:delete", args=[only(shoot).pk])).status_code == 403
    assert bulk(client, "delete", only(shoot).pk).status_code == 403
    assert b"".join(bulk(client, "download", only(shoot).pk).streaming_content)[:2] == b"PK"


def test_strangers_are_sent_to_sign_in(client, house):
    for name in ("new", "expert", "shoots", "pictures"):
        assert "login" in client.get(reverse(f"generation:{name}"))["Location"]


# --- the number of questions ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["new", "shoots", "pictures"])
def test_a_page_asks_the_database_as_often_for_thirty_rows_as_for_three(alice, house, executor, name):
    def asked():
        from django.db import connection

        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(alice, name)
        return len(queries)

    def add(count):
        for k in range(count):
            photo = add_photo(house.actor, name=f"G{k}{count}", sku=f"S{k}-{count}")
            with merchant_scope(house.merchant):
                choices = Choices(photo=photo.pk, count=1)
                services.order_shoot(actor=house.actor, choices=choices, key=None)
            carry_out_next()

    add(3)
    page(alice, name)
    few = asked()
    add(27)
    assert asked() == few
    assert few < 25


def test_a_shoot_and_a_picture_ask_a_fixed_number_of_questions(alice, house, executor):
    from django.db import connection

    page(alice, "shoot", made(house, count=1).pk)  # the first page after signing in asks more
    counts = []
    for number in (1, 8):
        shoot = made(house, count=number)
        with CaptureQueriesContext(connection) as queries:
            page(alice, "shoot", shoot.pk)
            page(alice, "picture", only(shoot).pk)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- the grid's feed -------------------------------------------------------------------------------------------------
def test_the_feed_is_the_page_as_json_and_begins_where_it_is_asked_to(alice, house, executor):
    shoot = made(house, count=3)
    with merchant_scope(house.merchant):
        ids = [str(pk) for pk in Picture.objects.filter(shoot=shoot).order_by("-id").values_list("pk", flat=True)]
    address = reverse("generation:feed")
    told = alice.get(address).json()
    assert ([tile["id"] for tile in told["tiles"]], told["older"]) == (ids, None)
    first = told["tiles"][0]
    assert (first["name"], first["favourite"], first["width"] > 0) == ("Linen shirt", False, True)
    assert alice.get(first["image"]).status_code == 200
    ask = {"from": {"from": ids[1]}, "older": {"older": ids[1]}, "newer": {"newer": ids[1]}}
    found = {name: [tile["id"] for tile in alice.get(address, query).json()["tiles"]] for name, query in ask.items()}
    assert found == {"from": ids[1:], "older": ids[2:], "newer": ids[:1]}


def test_a_script_is_answered_with_words_and_nobody_elses_picture_is_touched(alice, house, neighbour, executor):
    picture = only(made(house))
    script = {"X-Requested-With": "XMLHttpRequest"}
    bulk = reverse("generation:bulk")
    answer = alice.post(bulk, {"action": "delete", "pictures": [picture.pk]}, headers=script)
    assert answer.json() == {"words": "1 picture is in the bin for 30 days."}
    assert alice.post(bulk, {"action": "delete"}, headers=script).status_code == 400
    answer = alice.post(reverse("generation:favourite", args=[picture.pk]), {"on": "1"}, headers=script)
    assert answer.json() == {"favourite": True}


def test_the_layers_of_proof_lie_over_a_picture_whose_shoot_kept_them(alice, house, executor):
    shoot = made(house)
    picture = only(shoot)
    assert "overlay-locked" not in page(alice, "picture", picture.pk)
    with unscoped("test"):
        Shoot.objects.filter(pk=shoot.pk).update(table={**shoot.table, "locked": shoot.table["source"]})
    text = page(alice, "picture", picture.pk)
    assert "overlay-locked" in text and "Kept pixels" in text and "overlay-seam" not in text


def test_the_top_bar_is_told_how_many_run(alice, house):
    address = reverse("generation:running")
    assert alice.get(address).json()["running"] == 0
    with merchant_scope(house.merchant):
        services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk), key=None)
    assert alice.get(address).json()["running"] == 1
