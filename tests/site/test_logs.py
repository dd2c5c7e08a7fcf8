"""One line for each request, with ids and without secrets; what is unexpected goes to the log, never to the page."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from imodel_site.lib import logs
from imodel_site.lib.errors import Conflict
from imodel_site.lib.scope import merchant_scope

SECRET = "imk_live_abcd1234efgh5678ijklmnop"


def breaks(request: HttpRequest, secret: str) -> HttpResponse:
    raise RuntimeError("the database said password=hunter2xyz")


def refuses(request: HttpRequest) -> HttpResponse:
    raise Conflict("changed_meanwhile", "Somebody else changed it. Load the page again.")


urlpatterns = [
    path("", include("imodel_site.urls")),
    path("breaks/<str:secret>", breaks),
    path("api/breaks/<str:secret>", breaks),
    path("api/refuses", refuses),
]
handler400, handler403 = "imodel_site.refusals.bad_request", "imodel_site.refusals.forbidden"
handler404, handler500 = "imodel_site.refusals.not_here", "imodel_site.refusals.failed"


class Lines(logging.StreamHandler[Any]):
    """Everything that is logged, as the JSON objects that a log file would hold."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.setFormatter(logs.JsonLines())
        for wanted in (logs.Context(), logs.Redact()):
            self.addFilter(wanted)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    @property
    def found(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.found if line["logger"] == logger]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def test_a_request_leaves_one_line_with_its_route_and_not_its_path(lines: Lines, client: Client, db: None) -> None:
    with override_settings(ROOT_URLCONF="tests.site.test_logs"):
        answer = client.get(f"/api/breaks/{SECRET}?q=geheim")
    (line,) = lines.of("imodel.access")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/breaks/<str:secret>", 500)
    assert line["request_id"] == answer["X-Request-Id"] and line["ms"] >= 0
    assert not [text for text in lines.texts if SECRET in text or "geheim" in text]


def test_an_unexpected_error_is_logged_under_the_id_that_the_answer_names(lines: Lines, client: Client) -> None:
    with override_settings(ROOT_URLCONF="tests.site.test_logs"):
        answer = client.get("/api/breaks/x")
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert (error["code"], error["retryable"]) == ("internal", True)
    assert "hunter2xyz" not in answer.content.decode() and "RuntimeError" not in answer.content.decode()
    (line,) = lines.of("django.request")
    assert line["request_id"] == error["request_id"] == answer["X-Request-Id"]
    assert "RuntimeError" in line["exc_info"] and "hunter2xyz" not in json.dumps(line)


@pytest.mark.django_db
def test_the_page_of_an_unexpected_error_shows_its_number_and_asks_no_database(
    client: Client, django_assert_num_queries: Any
) -> None:
    with override_settings(ROOT_URLCONF="tests.site.test_logs"), django_assert_num_queries(0):
        answer = client.get("/breaks/x", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert answer["X-Request-Id"] in answer.content.decode()


def test_a_refusal_keeps_its_code_and_words_for_a_program(lines: Lines, client: Client) -> None:
    with override_settings(ROOT_URLCONF="tests.site.test_logs"):
        answer = client.get("/api/refuses")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "changed_meanwhile"
    assert lines.of("imodel.web")[0]["message"] == "refused changed_meanwhile"


def test_an_address_that_does_not_exist_is_refused_alike_for_programs_and_people(client: Client, db: None) -> None:
    assert client.get("/api/nothing").json()["error"]["code"] == "not_found"
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404 and "text/html" in page["Content-Type"]


def test_static_files_and_healthy_probes_leave_no_line(lines: Lines, client: Client) -> None:
    client.get("/healthz")
    assert lines.of("imodel.access") == []


def test_only_a_trusted_proxy_names_the_request(client: Client) -> None:
    given = {"X-Request-Id": "from-the-proxy-1"}
    assert client.get("/healthz", headers=given)["X-Request-Id"] != "from-the-proxy-1"
    with override_settings(TRUSTED_PROXIES=1):
        assert client.get("/healthz", headers=given)["X-Request-Id"] == "from-the-proxy-1"
        injected = client.get("/healthz", headers={"X-Request-Id": "x y\tz; drop"})["X-Request-Id"]
        assert len(injected) == 32


def test_lines_inside_a_scope_and_a_job_carry_their_ids(lines: Lines) -> None:
    from uuid import uuid4

    merchant = uuid4()
    with merchant_scope(merchant), logs.of_job("job-7"):
        logging.getLogger("imodel.test").warning("inside")
    logging.getLogger("imodel.test").warning("outside")
    inside, outside = lines.of("imodel.test")
    assert (inside["merchant_id"], inside["job_id"]) == (str(merchant), "job-7")
    assert (outside["merchant_id"], outside["job_id"]) == ("", "")


SECRETS = [
    ("key imk_live_abcd1234efgh5678 used", "1234efgh5678"),
    ("signed with whsec_Zm9vYmFyYmF6", "Zm9vYmFyYmF6"),
    ("connecting to postgres://app:s3cr3tpw@db/imodel", "s3cr3tpw"),
    ("connecting to redis://:s3cr3tpw@cache:6379/0", "s3cr3tpw"),
    ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
    ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ('{"password": "hunter2xyz"}', "hunter2xyz"),
    ("sessionid=0f1e2d3c4b5a; path=/", "0f1e2d3c4b5a"),
    ("csrftoken=0f1e2d3c4b5a", "0f1e2d3c4b5a"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secrets_are_blotted_out(text: str, secret: str) -> None:
    assert secret in text and secret not in logs.redact(text)


def test_arguments_and_tracebacks_are_blotted_out_in_both_formats(lines: Lines) -> None:
    plain = logging.StreamHandler()
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "login %s", ("password=hunter2xyz",), None)
    for wanted in (logs.Context(), logs.Redact()):
        wanted.filter(record)
    try:
        raise ValueError("token: hunter2xyz")
    except ValueError:
        import sys

        record.exc_info = sys.exc_info()
    for formatter in (logs.JsonLines(), logs.PlainLines()):
        plain.setFormatter(formatter)
        text = plain.format(record)
        assert "ValueError" in text and "hunter2xyz" not in text
