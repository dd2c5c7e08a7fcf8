"""Personas, scenes and poses: seeded for everybody, made from choices for one merchant."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from catalog import traits
from catalog.models import Persona, Pose, Scene
from catalog.services import libraries
from catalog.services.shared_library import seed_library
from catalog.traits import Traits, scene_words
from imodel_site.lib.errors import Refused
from imodel_site.lib.scope import merchant_scope, unscoped
from studio.pose.library import POSES
from studio.shoot.own import persona_from, pose_from, posed, scene_from
from studio.shoot.presets import PERSONAS, SCENES
from tests.catalog.pictures import jpeg, upload

STATIC = Path(settings.BASE_DIR) / "static"


def test_the_shared_library_is_studios_and_seeding_twice_changes_nothing(db):
    with unscoped("test"):
        assert set(Persona.objects.filter(merchant=None).values_list("name", flat=True)) == set(PERSONAS)
        assert set(Scene.objects.filter(merchant=None).values_list("name", flat=True)) == set(SCENES)
        assert set(Pose.objects.filter(merchant=None).values_list("name", flat=True)) == set(POSES)
        assert seed_library() == 0
        Persona.objects.filter(name="amelie").update(words="changed")
        call_command("seed_library", verbosity=0)
        assert Persona.objects.get(name="amelie").words == PERSONAS["amelie"].words


def test_every_shared_one_and_every_choice_has_a_picture(db):
    with unscoped("test"):
        rows = [*Persona.objects.all(), *Scene.objects.all(), *Pose.objects.all()]
    missing = [row.picture for row in rows if not (STATIC / row.picture).is_file()]
    faces = {
        Traits(gender, skin, hair, colour).picture
        for gender in traits.GENDERS
        for skin in traits.SKINS
        for hair in traits.HAIRS
        for colour in traits.HAIR_COLOURS
    }
    missing += [face for face in faces if not (STATIC / face).is_file()]
    missing += [p for p in map(traits.scene_picture, traits.PLACES) if not (STATIC / p).is_file()]
    missing += [f"{n}-mirrored" for n in POSES if not (STATIC / f"library/poses/{n}-mirrored.webp").is_file()]
    assert not missing


def test_choices_become_words_that_a_shoot_takes(atelier):
    chosen = Traits("woman", "olive", "bun", "black", "older", "slim")
    assert chosen.words == "an older slim woman with olive skin and black hair in a bun"
    assert Traits("man", "dark", "shaved").words == "a man with dark skin and a shaved head"
    assert scene_words(place="park", light="golden hour", tone="") == "park, golden hour"
    persona = libraries.make_persona(
        merchant=atelier, title="Zoë 1", traits=chosen, below="navy trousers", above="white shirt"
    )
    order = {"name": persona.title, "words": persona.words, "below": persona.below, "above": persona.above}
    assert persona_from(order).words == chosen.words  # type: ignore[union-attr]
    scene = libraries.make_scene(merchant=atelier, title="公园", place="park", light="", tone="warm colours")
    assert scene_from({"name": scene.title, "words": scene.words}).words == "park, warm colours"  # type: ignore[union-attr]
    assert (persona.name, scene.name) == ("zoe-1", "scene")


def test_names_never_clash_with_shared_ones_or_each_other(atelier):
    for title in ("Front", "front", "Front "):
        libraries.copy_pose(merchant=atelier, pose=Pose.objects.get(name="walking"), title=title, mirrored=False)
    names = set(Pose.objects.filter(merchant=atelier).values_list("name", flat=True))
    assert names == {"front-2", "front-3", "front-4"}
    with pytest.raises(Refused):
        libraries.copy_pose(merchant=atelier, pose=Pose.objects.get(name="walking"), title=" ", mirrored=False)


def test_a_mirrored_pose_turns_the_other_way_and_twice_is_the_same(atelier):
    walking = Pose.objects.get(name="three-quarter-left")
    copy = libraries.copy_pose(merchant=atelier, pose=walking, title="Other way", mirrored=True)
    rows = libraries._library_landmarks("three-quarter-left")
    assert libraries.mirror(copy.landmarks) == rows
    straight, turned = (
        posed(pose_from({"name": "x", "landmarks": landmarks})).angles.yaw for landmarks in (rows, copy.landmarks)
    )
    assert straight > 15 and turned < -15


def test_the_forms_make_and_change_ones_own(signed_in, cast):
    alice = signed_in("alice")
    body = {"title": "Mia", "gender": "woman", "skin": "dark", "hair": "curly", "hair_colour": "red"}
    assert alice.post("/catalog/library/personas/new", body).status_code == 302
    body = {"title": "Dune", "place": "desert", "light": "golden hour", "tone": "", "photos": upload(jpeg(1))}
    assert alice.post("/catalog/library/scenes/new", body).status_code == 302
    assert alice.post("/catalog/library/poses/new", {"title": "P", "photos": upload(jpeg(2))}).status_code == 302
    assert alice.post("/catalog/library/poses/new", {"title": "P", "photos": upload(b"no")}).status_code == 422
    assert alice.post("/catalog/library/personas/new", {"title": "X", "skin": "blue"}).status_code == 422
    with merchant_scope(cast.atelier.pk):
        mia = Persona.objects.get(merchant=cast.atelier)
        assert mia.words == "a woman with dark skin and curly red hair"
        assert Scene.objects.get(merchant=cast.atelier).asset is not None
        assert not libraries.is_ready(Pose.objects.get(merchant=cast.atelier))
    assert b"Not ready" in alice.get("/catalog/library/poses").content
    alice.post(f"/catalog/library/personas/{mia.pk}", {"title": "Mia II", "gender": "woman", "skin": "fair"})
    with merchant_scope(cast.atelier.pk):
        assert Persona.objects.get(merchant=cast.atelier).title == "Mia II"
    alice.post(f"/catalog/library/personas/{mia.pk}/delete")
    with merchant_scope(cast.atelier.pk):
        assert not Persona.objects.filter(merchant=cast.atelier).exists()
    assert b"Dune" not in signed_in("charlie").get("/catalog/library/scenes").content
