"""What every viewset gets from MerchantViewSet, whatever its author forgets."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings

from accounts.models import ApiKey
from accounts.scoping import merchant_scope, unscoped
from accounts.services import api_keys
from catalog.models import Garment, GarmentTag, Scene
from imodel_site.api import MerchantViewSet
from tests.accounts.conftest import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.api_site")]
SHAPE = {"code", "message", "field", "retryable", "request_id"}


class Caller:
    """A program of one merchant."""

    def __init__(self, cast: Any, merchant: Any, scope: str) -> None:
        with merchant_scope(merchant):
            self.text = api_keys.make_key(
                merchant=merchant, by=cast.alice, name="k", scope=scope, store="", live=True, lifetime=None
            ).text

    def __call__(self, method: str, path: str, data: Any = None, **extra: Any) -> Any:
        headers = {"authorization": f"Bearer {self.text}"}
        client = Client(raise_request_exception=False)
        call = getattr(client, method)
        if method == "get":
            return call(f"/api/test/{path}", data, headers=headers)
        return call(f"/api/test/{path}", data, **{"content_type": "application/json", **extra}, headers=headers)


@pytest.fixture
def writer(cast: Any) -> Caller:
    return Caller(cast, cast.atelier, "write")


@pytest.fixture
def reader(cast: Any) -> Caller:
    return Caller(cast, cast.atelier, "read")


@pytest.fixture
def foreign(cast: Any) -> Garment:
    with merchant_scope(cast.bazaar):
        found: Garment = Garment.objects.create(name="Foreign coat")
    return found


def garment(cast: Any, name: str = "Coat") -> Garment:
    with merchant_scope(cast.atelier):
        found: Garment = Garment.objects.create(name=name)
    return found


def error(answer: Any) -> dict[str, Any]:
    found = answer.json()["error"]
    assert set(found) == SHAPE and found["request_id"] == answer["X-Request-Id"]
    return dict(found)


@pytest.mark.parametrize("name", ["get_queryset", "get_object", "filter_queryset", "queryset", "check_permissions"])
def test_a_viewset_that_chooses_its_rows_by_itself_can_not_even_be_written(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        type("Sly", (MerchantViewSet,), {"model": Garment, name: lambda self: Garment.objects.all()})


def test_a_viewset_over_rows_of_no_merchant_can_not_be_written_either() -> None:
    from accounts.models import User

    with pytest.raises(TypeError, match="MerchantOwned"):
        type("Sly", (MerchantViewSet,), {"model": User})


def test_a_list_holds_ones_own_and_says_where_it_goes_on(cast: Any, reader: Caller, foreign: Garment) -> None:
    made = sorted((garment(cast, f"Coat {number}") for number in range(3)), key=lambda row: row.pk)  # by time
    first = reader("get", "garments", {"page_size": 2}).json()
    assert [item["id"] for item in first["items"]] == [str(made[2].pk), str(made[1].pk)]
    assert first["previous"] is None
    cursor = first["next"].split("cursor=")[1].split("&")[0]
    second = reader("get", f"garments?page_size=2&cursor={cursor}").json()
    assert [item["id"] for item in second["items"]] == [str(made[0].pk)] and second["next"] is None
    assert reader("get", "garments", {"q": "Foreign"}).json()["items"] == []


@pytest.mark.parametrize("inside", ["p=nonsense", "p=0&o=9999999999999", "o=x"])
def test_a_tampered_cursor_is_refused_by_name(reader: Caller, inside: str) -> None:
    answer = reader("get", "garments", {"cursor": b64encode(inside.encode()).decode()})
    assert (answer.status_code, error(answer)["code"]) == (400, "bad_cursor")


def test_foreign_missing_and_senseless_ids_get_the_same_404(reader: Caller, foreign: Garment) -> None:
    bodies = []
    for identity in (foreign.pk, uuid4(), "nonsense", "1"):
        answer = reader("get", f"garments/{identity}")
        assert answer.status_code == 404
        bodies.append({**error(answer), "request_id": ""})
    assert all(body == bodies[0] for body in bodies) and bodies[0]["code"] == "not_found"


def test_a_foreign_id_in_a_body_is_as_missing_as_none(cast: Any, writer: Caller, foreign: Garment) -> None:
    answers = [writer("post", "tags", {"name": "x", "garment": str(found)}) for found in (foreign.pk, uuid4(), "no")]
    assert [answer.status_code for answer in answers] == [400] * 3
    assert {error(answer)["message"] for answer in answers} == {error(answers[0])["message"]}
    assert error(answers[0])["field"] == "garment"
    with unscoped("test"):
        assert not GarmentTag.objects.exists()
    own = garment(cast)
    assert writer("post", "tags", {"name": "x", "garment": str(own.pk)}).status_code == 201
    with unscoped("test"):
        assert GarmentTag.objects.get().merchant_id == cast.atelier.pk


def test_one_foreign_id_among_many_refuses_the_whole_call(cast: Any, writer: Caller, foreign: Garment) -> None:
    own = [str(garment(cast).pk) for _ in range(2)]
    assert writer("post", "garments/bulk", {"garments": own}).json() == {"count": 2}
    assert writer("post", "garments/bulk", {"garments": [*own, str(foreign.pk)]}).status_code == 400


def test_the_shared_library_is_listed_beside_ones_own(cast: Any, reader: Caller) -> None:
    with unscoped("test"):
        Scene.objects.all().delete()
        Scene.objects.create(name="shared", title="s", words="w")
        for merchant in (cast.atelier, cast.bazaar):
            Scene.objects.create(name=f"of-{merchant.name.lower()}", title="s", words="w", merchant=merchant)
    names = {item["name"] for item in reader("get", "scenes").json()["items"]}
    assert names == {"shared", "of-atelier"}


def test_a_read_key_and_a_viewer_change_nothing(cast: Any, reader: Caller, writer: Caller) -> None:
    answer = reader("post", "garments", {"name": "x"})
    assert (answer.status_code, error(answer)["code"]) == (403, "read_only_key")
    viewer = sign_in(cast.vera).post("/api/test/garments", {"name": "x"}, content_type="application/json")
    assert (viewer.status_code, error(viewer)["code"]) == (403, "read_only")
    assert writer("post", "garments", {"name": "x"}).status_code == 201
    with unscoped("test"):
        assert Garment.objects.count() == 1


def test_a_closing_shop_is_read_and_not_written(cast: Any, writer: Caller) -> None:
    type(cast.atelier).objects.filter(pk=cast.atelier.pk).update(status="closing")
    assert writer("get", "garments").status_code == 200
    answer = writer("post", "garments", {"name": "x"})
    assert (answer.status_code, error(answer)["code"]) == (403, "merchant_closing")


def test_a_session_needs_its_csrf_token_to_write_and_a_key_does_not(cast: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.bob)
    answer = client.post("/api/test/garments", {"name": "x"}, content_type="application/json")
    assert (answer.status_code, error(answer)["code"]) == (403, "not_allowed")
    assert client.get("/api/test/garments").status_code == 200


@pytest.mark.parametrize(
    "method, path, data, extra, status, code",
    [
        ("delete", "garments", None, {}, 405, "method_not_allowed"),
        ("post", "garments", "{", {}, 400, "bad_body"),
        ("post", "garments", "[" * 100_000, {}, 400, "bad_body"),
        ("post", "garments", '"' + "x" * 2_200_000 + '"', {}, 413, "body_too_large"),
        ("post", "garments", "<x/>", {"content_type": "text/xml"}, 415, "unsupported_media_type"),
        ("post", "garments", {}, {}, 400, "invalid"),
        ("get", "nowhere", None, {}, 404, "not_found"),
    ],
)
def test_every_refusal_has_one_shape(
    writer: Caller, method: str, path: str, data: Any, extra: Any, status: int, code: str
) -> None:
    answer = writer(method, path, data, **extra)
    assert (answer.status_code, error(answer)["code"]) == (status, code)


def test_our_refusals_keep_their_code_and_a_bug_says_nothing_of_itself(cast: Any, writer: Caller) -> None:
    path = f"garments/{garment(cast).pk}/fail"
    ours, studio, bug = (writer("post", path, {"how": how}) for how in ("ours", "studio", "bug"))
    assert (ours.status_code, error(ours)["code"], error(ours)["retryable"]) == (409, "busy", True)
    assert (studio.status_code, error(studio)["code"]) == (400, "bad_thing")
    assert (bug.status_code, error(bug)["code"]) == (500, "server_error")
    assert "secret detail" not in bug.content.decode() and "Traceback" not in bug.content.decode()


def test_a_nested_error_names_its_place(writer: Caller) -> None:
    assert error(writer("post", "garments/bulk", {"garments": ["no"]}))["field"].startswith("garments")


@override_settings(API_CALLS_PER_MINUTE=3)
def test_too_many_calls_wait_and_only_the_caller_is_slowed_down(
    cast: Any, reader: Caller, writer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.throttling.time.time", lambda: 1_000_000_020.0)
    answers = [reader("get", "garments") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert error(answers[3])["code"] == "too_many_requests" and 0 < int(answers[3]["Retry-After"]) <= 61
    assert writer("get", "garments").status_code == 200


def test_a_page_of_a_list_takes_four_questions_whatever_its_length(
    cast: Any, reader: Caller, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        garment(cast, str(number))
    with unscoped("test"):
        ApiKey.objects.update(last_used_at="2999-01-01T00:00Z")
    with django_assert_max_num_queries(4):  # the key, the rows, and a savepoint's two ends on PostgreSQL
        reader("get", "garments")
