"""Again, vary, replay, retry, and the bin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Persona
from generation import services
from generation.models import Picture, PictureTag, Shoot
from generation.orders import Choices
from imodel_site.lib import collecting, storage
from imodel_site.lib.errors import Conflict, NotAllowed, NotHere, Refused
from tests.generation import scripted
from tests.generation.conftest import actor_of, carry_out_next, made, png

pytestmark = pytest.mark.django_db(transaction=True)


def only(shoot):
    with unscoped("test"):
        return Picture.objects.select_related("shoot", "garment").filter(shoot=shoot).order_by("index")[0]


def fresh(shoot):
    with unscoped("test"):
        return Shoot.objects.get(pk=shoot.pk)


def run(house, order):
    """Order something in the house's scope and carry it out."""
    with merchant_scope(house.merchant):
        shoot = order()
    carry_out_next()
    return fresh(shoot)


def test_again_is_the_same_order_with_other_seeds(house, executor):
    first = made(house, seed=5)
    second = run(house, lambda: services.do_again(actor=house.actor, shoot=fresh(first), key=None))

    before, after = (message["order"] for message in executor.asked)
    assert before["seed"] == 5 != after["seed"]
    same = set(before) - {"seed", "photo", "mask"}
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert (second.made_as, second.photo_id) == ("again", house.photo.pk)


def test_vary_takes_the_seeds_after_the_pictures_own(house, executor):
    picture = only(made(house, seed=900, count=1))
    varied = run(house, lambda: services.vary(actor=house.actor, picture=picture, persona="", key=None))

    assert executor.asked[1]["order"]["seed"] == 901
    assert varied.count == executor.asked[1]["order"]["count"] == 4
    assert varied.of_picture_id == picture.pk


def test_vary_with_another_persona_keeps_the_seed(house, executor):
    picture = only(made(house, seed=900, count=1))
    with merchant_scope(house.merchant):
        other = Persona.objects.order_by("-position")[0]
    varied = run(house, lambda: services.vary(actor=house.actor, picture=picture, persona=other.pk, key=None))

    order = executor.asked[1]["order"]
    assert (order["seed"], order["count"], order["persona"]["words"]) == (900, 1, other.words)
    assert varied.persona_id == other.pk


def test_a_replay_says_that_its_bytes_are_the_same(house, executor):
    picture = only(made(house, seed=77))
    again = run(house, lambda: services.replay(actor=house.actor, picture=picture, key=None))

    replayed = only(again)
    assert executor.asked[1]["op"] == "replay"
    assert executor.asked[1]["recipe"] == picture.recipe
    assert executor.asked[1]["photo"].startswith("/")
    assert replayed.same_bytes is True
    assert storage.read(replayed.files["full"]["key"]) == storage.read(picture.files["full"]["key"])
    assert replayed.files["full"]["key"] != picture.files["full"]["key"]


def test_a_replay_that_came_out_differently_says_so(house, executor):
    picture = only(made(house, seed=77))

    def otherwise(link, message):
        message["recipe"] = message["recipe"] | {"seed": 78}
        scripted.paints(link, message)

    executor.script = otherwise
    again = run(house, lambda: services.replay(actor=house.actor, picture=picture, key=None))
    assert only(again).same_bytes is False


def test_a_replay_can_be_made_again_although_the_first_picture_is_gone(house, executor):
    picture = only(made(house, seed=77))
    again = run(house, lambda: services.replay(actor=house.actor, picture=picture, key=None))
    with merchant_scope(house.merchant):
        services.delete_pictures(actor=house.actor, pictures=[picture])
    services.purge_deleted(now=timezone.now() + timedelta(days=31))

    third = run(house, lambda: services.do_again(actor=house.actor, shoot=again, key=None))
    assert executor.asked[2]["op"] == "shoot"
    assert third.status == "succeeded"


def test_a_failed_shoot_can_be_tried_again_and_a_finished_one_not(house, executor):
    executor.script = scripted.fails("engine", "out_of_memory", retryable=True)
    shoot = made(house)
    executor.script = scripted.paints
    with merchant_scope(house.merchant):
        services.retry_shoot(actor=house.actor, shoot=shoot)
    carry_out_next()

    assert fresh(shoot).status == "succeeded"
    with merchant_scope(house.merchant), pytest.raises(Conflict):
        services.retry_shoot(actor=house.actor, shoot=shoot)


def test_deleted_pictures_go_for_good_after_thirty_days_with_their_files(house, executor):
    shoot = made(house, count=2)
    with merchant_scope(house.merchant):
        kept, gone = Picture.objects.order_by("index")
        services.tag_pictures(actor=house.actor, pictures=[gone], name="spring")
        services.delete_pictures(actor=house.actor, pictures=[gone])

    assert services.purge_deleted(now=timezone.now() + timedelta(days=29)) == 0
    assert services.purge_deleted(now=timezone.now() + timedelta(days=31)) == 1

    with unscoped("test"):
        assert [p.pk for p in Picture.objects.all()] == [kept.pk]
        assert PictureTag.objects.count() == 0
    for file in gone.files.values():
        with pytest.raises(FileNotFoundError):
            storage.read(file["key"])
    assert storage.read(kept.files["full"]["key"])
    assert storage.read(shoot.table["source"])  # the other picture's slider needs it


def test_the_light_table_goes_with_the_last_picture(house, executor):
    shoot = made(house, count=1)
    with merchant_scope(house.merchant):
        services.delete_pictures(actor=house.actor, pictures=list(Picture.objects.all()))
    services.purge_deleted(now=timezone.now() + timedelta(days=31))

    assert fresh(shoot).table == {}
    assert list(storage.private().listed(f"m/{house.merchant.pk}/shoots/")) == []


def test_restoring_takes_a_picture_out_of_the_bin(house, executor):
    made(house, count=1)
    with merchant_scope(house.merchant):
        pictures = list(Picture.objects.all())
        services.delete_pictures(actor=house.actor, pictures=pictures)
        services.restore_pictures(actor=house.actor, pictures=pictures)
    assert services.purge_deleted(now=timezone.now() + timedelta(days=31)) == 0


def test_the_collector_leaves_what_pictures_and_orders_refer_to(house, executor):
    with merchant_scope(house.merchant):
        mask = services.store_mask(actor=house.actor, data=_mask(), size=(64, 96))
        services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk, mask=mask), key=None)
    carry_out_next()
    lost = storage.put(f"m/{house.merchant.pk}/shoots/1/1/0-full-xyz.png", png())

    collecting.collect(now=timezone.now() + timedelta(days=2), delete_them=True)

    with pytest.raises(FileNotFoundError):
        storage.read(lost)
    assert storage.read(mask)
    with merchant_scope(house.merchant):
        for picture in Picture.objects.all():
            assert storage.read(picture.files["small"]["key"])


def _mask():
    from tests.generation.conftest import mask_png

    return mask_png()


def test_a_mask_of_another_size_is_refused_at_its_field(house):
    with merchant_scope(house.merchant), pytest.raises(Refused) as refused:
        services.store_mask(actor=house.actor, data=png(size=(96, 64)), size=(64, 96))
    assert (refused.value.code, refused.value.field) == ("mask_wrong_size", "mask")


@pytest.mark.parametrize(
    ("choices", "code", "field"),
    [
        ({"kind": "sculpture"}, "kind_unknown", "kind"),
        ({"count": 9}, "count_out_of_range", "count"),
        ({"count": 8, "best_of": 4}, "count_out_of_range", "best_of"),
        ({"crop": "ankle"}, "crop_unknown", "crop"),
        ({"kind": "pose"}, "pose_needed", "pose"),
        ({"part": "lower"}, "garment_part_missing", "part"),
        ({"kind": "outfit", "outfit": " "}, "outfit_invalid", "outfit"),
    ],
)
def test_what_can_not_be_carried_out_is_refused_by_its_field(house, choices, code, field):
    with merchant_scope(house.merchant), pytest.raises(Refused) as refused:
        services.order_shoot(actor=house.actor, choices=Choices(photo=house.photo.pk, **choices), key=None)
    assert (refused.value.code, refused.value.field) == (code, field)
    with unscoped("test"):
        assert Shoot.objects.count() == 0


@pytest.mark.parametrize("which", ["photo", "persona", "scene", "pose"])
def test_another_merchants_ids_answer_like_missing_ones(house, neighbour, which):
    from catalog.models import Pose, Scene

    with merchant_scope(neighbour.merchant):
        own = {
            "photo": neighbour.photo.pk,
            "persona": Persona.objects.create(name="p", title="P", words="w", below="b", above="a").pk,
            "scene": Scene.objects.create(name="s", title="S", words="w").pk,
            "pose": Pose.objects.create(name="front", title="F").pk,
        }
    choices = {"photo": house.photo.pk, which: own[which]}
    with merchant_scope(house.merchant), pytest.raises(NotHere):
        services.order_shoot(actor=house.actor, choices=Choices(**choices), key=None)


def test_a_viewer_can_change_nothing(house, cast, executor):
    shoot = made(house)
    vera = actor_of(cast.vera)
    picture = only(shoot)
    with merchant_scope(house.merchant):
        for act in (
            lambda: services.order_shoot(actor=vera, choices=Choices(photo=house.photo.pk), key=None),
            lambda: services.cancel_shoot(actor=vera, shoot=shoot),
            lambda: services.retry_shoot(actor=vera, shoot=shoot),
            lambda: services.do_again(actor=vera, shoot=shoot, key=None),
            lambda: services.vary(actor=vera, picture=picture, persona="", key=None),
            lambda: services.replay(actor=vera, picture=picture, key=None),
            lambda: services.delete_pictures(actor=vera, pictures=[picture]),
            lambda: services.set_favourite(actor=vera, pictures=[picture], favourite=True),
            lambda: services.tag_pictures(actor=vera, pictures=[picture], name="x"),
        ):
            with pytest.raises(NotAllowed):
                act()
