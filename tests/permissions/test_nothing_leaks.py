"""A canary sings in every text of one shop; whatever another shop opens, searches, is mailed or logs stays silent."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection, models, transaction
from django.http import HttpResponseBase

from accounts import tables
from accounts.doors import API, KEYS_ONLY
from accounts.scoping import MerchantManager, unscoped
from tests.permissions import table
from tests.permissions.routes import Route, all_routes
from tests.permissions.world import World

pytestmark = pytest.mark.django_db
TABLE = table.read()
# Common to both canaries, so that a search finds both shops' rows if it looks too far.
SEARCHES = ({}, {"q": "kan-"}, {"search": "kan-", "sort": "name"}, {"page_size": "200", "q": "kan-"})


def gets() -> list[Route]:
    return [route for route in all_routes() if ("GET", route.name) in TABLE]


def text_of(answer: HttpResponseBase) -> bytes:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body + repr(sorted(answer.headers.items())).encode()


def crawl(world: World) -> Iterator[tuple[str, bytes]]:
    """Every GET of the site as the other shop, with its own ids and with the first shop's, searching and not."""
    for actor in ("other", "other_key"):
        for route in gets():
            if actor == "other_key" and not f"/{route.path}".startswith((API, *KEYS_ONLY)):
                continue
            for own in (True, False):
                for search in SEARCHES if "<" not in route.path and own else SEARCHES[:1]:
                    with transaction.atomic():
                        address = world.address(route, own=own)
                        yield f"{actor} {address}", text_of(world.client(actor).get(address, search))
                        transaction.set_rollback(True)


def test_no_page_answer_mail_log_or_cache_of_one_shop_holds_a_word_of_another(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    foreign, own = (world.canaries[name].encode() for name in ("atelier", "bazaar"))
    sung = 0
    mail.outbox.clear()
    with caplog.at_level("DEBUG"):
        for where, text in crawl(world):
            if "/join" in where or " /feeds/" in where or " /p/" in where:
                continue  # the link itself tells who invites; a shop shows what it published to everybody
            assert foreign not in text, where
            sung += own in text
    assert sung > 20, "the crawl must see the shop's own rows, or it proves nothing"
    assert foreign.decode() not in caplog.text
    assert not any(foreign.decode() in str(letter.message()) for letter in mail.outbox)
    for key, value in getattr(cache, "_cache", {}).items():
        assert foreign.decode() not in key and foreign not in pickle.dumps(pickle.loads(value)), key


def test_the_crawl_would_notice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same crawl over managers that forgot their filter (on PostgreSQL ring 5 then answers instead)."""
    if connection.vendor == "postgresql":
        pytest.skip("the database holds them apart by itself")
    monkeypatch.setattr(MerchantManager, "get_queryset", lambda manager: models.Manager.get_queryset(manager))
    assert any(world.canaries["atelier"].encode() in text for _where, text in crawl(world))


IDS = {
    "garment": "catalog.Garment",
    "garments": "catalog.Garment",
    "photo": "catalog.GarmentPhoto",
    "photos": "catalog.GarmentPhoto",
    "persona": "catalog.Persona",
    "scene": "catalog.Scene",
    "pose": "catalog.Pose",
    "copy_of": "catalog.Pose",
    "personas": "catalog.Persona",
    "scenes": "catalog.Scene",
    "poses": "catalog.Pose",
    "approved": "generation.Picture",
    "picture": "generation.Picture",
    "pictures": "generation.Picture",
    "shoot": "generation.Shoot",
    "ids": "catalog.Garment",
    "asset": "catalog.Asset",
}
WRITES = re.compile(r'\s*(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) "(\w+)"')
WORDS = {"name": "x", "title": "x", "action": "favourite", "tag": "x", "kind": "model", "count": "1", "view": "front"}


def bodies(world: World) -> Iterator[dict[str, str]]:
    """Own ids everywhere and a foreign one in one place, for each place."""
    own = {name: str(world.theirs[label].pk) for name, label in IDS.items()}
    for name, label in IDS.items():
        yield {**WORDS, **own, name: str(world.mine[label].pk)}


def rows(merchant: Any, of: Iterable[Any] | None = None) -> dict[str, list[dict[str, Any]]]:
    return {
        model._meta.label: list(model._base_manager.filter(merchant=merchant).order_by("pk").values())
        for model in (tables.owned() if of is None else of)
    }


def crossed(written: Iterable[Any]) -> list[str]:
    """Relations of these tables that lead from one shop's row to another's."""
    found = []
    for model in written:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model in tables.owned():
                other = models.F(f"{field.name}__merchant_id")
                wrong = model._base_manager.filter(**{f"{field.name}__merchant__isnull": False})
                if wrong.exclude(merchant_id=other).exists():
                    found.append(f"{model._meta.label}.{field.name}")
    return found


class Written:
    """Hears every statement; knows which of the shops' tables were written to (to look at all of them takes long)."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.statements.append(str(sql))
        return execute(sql, params, many, context)

    def models(self) -> list[Any]:
        hit = {found.group(1) for sql in self.statements if (found := WRITES.match(sql))}
        return [model for model in tables.owned() if model._meta.db_table in hit]


def writing() -> list[tuple[str, Route]]:
    by_name = {route.name: route for route in all_routes()}
    ours = ("accounts:", "catalog:", "generation:", "selling:", "api-")
    return [(method, by_name[name]) for method, name in TABLE if method != "GET" and name.startswith(ours)]


@pytest.mark.parametrize("method, route", writing(), ids=[f"{method} {route.name}" for method, route in writing()])
def test_a_foreign_id_in_a_body_reaches_nothing(world: World, method: str, route: Route) -> None:
    """The second id is the one that is forgotten: the address is one's own, the body names another shop's row."""
    api = route.path.startswith("api/")
    client = world.client("other_key" if api else "other")
    send, kind = getattr(client, method.lower()), {"content_type": "application/json"} if api else {}
    with unscoped("test"):
        before = rows(world.cast.atelier)
    for body in bodies(world):
        with transaction.atomic():
            written = Written()
            with connection.execute_wrapper(written):
                assert send(world.address(route, own=True), body, **kind).status_code < 500
            with unscoped("test"):
                assert not crossed(written.models())
                theirs = repr(rows(world.cast.bazaar, written.models()))
            assert not [str(row.pk) for row in _named(world) if str(row.pk) in theirs]
            if method == "DELETE" or "delete" in route.path:
                transaction.set_rollback(True)  # or the next body would find nothing there
    with unscoped("test"):
        assert rows(world.cast.atelier) == before


def _named(world: World) -> list[Any]:
    return [world.mine[label] for label in set(IDS.values())]


def test_the_same_bodies_do_change_ones_own(world: World) -> None:
    """Or the test above would prove nothing."""
    written = Written()
    own = {name: str(world.theirs[label].pk) for name, label in IDS.items()}
    with unscoped("test"):
        assert not world.theirs["generation.Picture"].favourite
    with connection.execute_wrapper(written):
        world.client("other").post("/pictures/bulk", {**WORDS, **own})
    assert "generation.Picture" in [model._meta.label for model in written.models()]
    with unscoped("test"):
        world.theirs["generation.Picture"].refresh_from_db()
        assert world.theirs["generation.Picture"].favourite
