"""Every route x everybody who may knock: table.txt says what each meets, and no route is missing from it.

The words: ``in`` (carried out, or refused for what was sent), ``login``, ``create`` (led to create a shop), ``prove``
(asked for the password once more), ``no`` (403), ``gone`` (404), ``not`` (405).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import transaction

from accounts.doors import API, KEYS_ONLY
from tests.permissions import table
from tests.permissions.routes import METHODS, Route, admin_routes, all_routes
from tests.permissions.world import ACTORS, World, outcome

pytestmark = pytest.mark.django_db
TABLE = table.read()
CELLS = [(method, name, actor) for (method, name), cells in TABLE.items() for actor in cells]

# Doors that are open to strangers, each for a reason that everybody can see in its name.
PUBLIC = {
    *("front:home", "front:theme", "front:demo", "health:healthz", "health:readyz", "set_language"),
    *("account_login", "account_signup", "account_reset_password", "account_inactive", "account_logout"),
    *("account_email_verification_sent", "account_confirm_password_reset_code", "account_confirm_login_code"),
    *("account_complete_password_reset", "account_password_reset_completed", "mfa_login_webauthn", "mfa_authenticate"),
    *("accounts:invited", "accounts:join"),
    *("api-schema", "api-docs"),
    *("pwa:worker", "pwa:manifest", "pwa:offline", "pwa:state"),
    *("selling:picture", "selling:pictures_json"),  # what its shop shows to everybody
    "selling:feed",  # whoever knows its secret
}
# What a person changes about themselves, whatever their role in the shop is.
PERSONAL = {"accounts:create", "accounts:switch", "accounts:leave", "accounts:accept"}
# Addresses whose parameter is no row of a shop, or may be a shared one.
SHARED = {"catalog:shelf", "catalog:decoder", "selling:download"}
# Asked with POST because the question is long; nothing is changed by it.
QUESTIONS = {"catalog:cut_decode", "a1111:task-progress", "a1111:png-info"}


def knock(world: World, method: str, route: Route, actor: str) -> str:
    return outcome(world.knock(method, route, actor))


def measured(world: World, method: str, route: Route, actors: Iterable[str] = ACTORS) -> dict[str, str]:
    """What the table would say."""
    found = {}
    for actor in actors:
        cache.clear()  # the limits of the one before
        with transaction.atomic():
            found[actor] = knock(world, method, route, actor)
            transaction.set_rollback(True)
    return found


def unlisted(world: World, route: Route) -> list[str]:
    """The methods that the route knows and the table does not. allauth's and Django's own views take PUT for POST,
    which is their business.
    """
    tried = METHODS[:2] if route.path.startswith(("account/", "i18n/")) else METHODS
    missing = [method for method in tried if (method, route.name) not in TABLE]
    return [method for method in missing if measured(world, method, route, ["owner"])["owner"] != "not"]


@pytest.mark.parametrize("method, name, actor", CELLS, ids=[" ".join(cell) for cell in CELLS])
def test_a_door_answers_as_the_table_says(world: World, method: str, name: str, actor: str) -> None:
    route = next(route for route in all_routes() if route.name == name)
    assert knock(world, method, route, actor) == TABLE[method, name][actor]


def test_no_route_and_no_method_is_missing_from_the_table(world: World) -> None:
    missing = [
        table.line(method, route.name, measured(world, method, route))
        for route in all_routes()
        for method in unlisted(world, route)
    ]
    assert not missing, "Think about each, and add to table.txt (as it is now):\n" + "\n".join(missing)


def test_the_table_has_no_route_that_is_no_more() -> None:
    assert {name for _method, name in TABLE} <= {route.name for route in all_routes()}


def test_route_names_are_unique() -> None:
    names = [route.name for route in all_routes()]
    assert sorted(names) == sorted(set(names)) and "None" not in names


@pytest.mark.parametrize("method, name", list(TABLE), ids=[" ".join(row) for row in TABLE])
def test_the_rules_of_the_house_hold_in_each_row(method: str, name: str) -> None:
    """What no row of the table may say, whoever fills it in."""
    row, route = TABLE[method, name], next(route for route in all_routes() if route.name == name)
    ours = not route.path.startswith(("account/", "i18n/"))
    if name not in PUBLIC:
        assert row["anonymous"] != "in"
    if route.path.startswith("staff/"):
        assert {actor for actor, cell in row.items() if cell not in ("gone", "login")} == {"staff"}
        return
    if ours and name not in PUBLIC | PERSONAL and name != "media":
        assert row["staff"] != "in", "staff do not walk through shops"
    if ours and method != "GET" and name not in PUBLIC | PERSONAL | QUESTIONS:
        assert row["viewer"] not in ("in", "prove") and row["read_key"] != "in"
    surface = f"/{route.path}".startswith(KEYS_ONLY)
    if surface:
        assert {row[actor] for actor in ACTORS if not actor.endswith("_key")} == {"login"}, "for keys only"
    if ours and "<" in route.path and name not in PUBLIC and not surface:
        assert row["other"] in ("gone", "prove", "in"), "whoever works for another shop"
        assert row["other"] != "in" or name in SHARED
    if not f"/{route.path}".startswith((API, *KEYS_ONLY)) and name != "media":
        assert name in PUBLIC or row["read_key"] == row["write_key"] == row["anonymous"], "a key opens the API only"
    if row["viewer"] == "in":
        assert row["editor"] == row["owner"] == "in"
    assert not any(cell.startswith("BROKEN") for cell in row.values())


def test_staff_pages_open_for_staff_alone(world: World) -> None:
    for route in admin_routes():
        if (
            "<" in route.path
            or "(?P" in route.path
            or route.name in (("admin:login", "admin:logout", "admin:jsi18n", "admin:autocomplete"))
        ):
            continue
        for actor in ACTORS:
            found = world.client(actor).get("/" + route.path)
            if actor == "staff":
                assert found.status_code < 404, (route.name, actor)  # 403 where nobody may add by hand
                assert "/account/" not in found.headers.get("Location", ""), (route.name, actor)
            else:
                assert found.status_code in (302, 404), (route.name, actor)
                assert "/login" in found.headers.get("Location", "/login"), (route.name, actor)


def test_a_foreign_id_answers_exactly_as_a_missing_one(world: World) -> None:
    """The same status and the same body, down to the request's own id."""
    client, compared = world.client("other"), 0
    ids = {str(planted.pk) for planted in world.mine.values() if isinstance(planted.pk, UUID)}
    ids.add(world.params["member_id"])
    for (method, name), row in TABLE.items():
        route = next(route for route in all_routes() if route.name == name)
        if row["other"] != "gone" or "<" not in route.path:
            continue
        there = world.address(route)
        missing = there
        for identity in ids:
            missing = missing.replace(identity, str(uuid4()))
        if missing == there:
            continue
        answers = [getattr(client, method.lower())(address) for address in (there, missing)]
        bodies = [_bare(answer, address) for answer, address in zip(answers, (there, missing), strict=True)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert bodies[0] == bodies[1], name
        compared += 1
    assert compared > 3


def _bare(answer: Any, address: str) -> str:
    text = answer.content.decode().replace(address, "").replace(answer["X-Request-Id"], "")
    return re.sub(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", text)
