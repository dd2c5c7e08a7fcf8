"""Pages are gzipped on the way; what must stay as it is does."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse

from imodel_site.middleware import SmallPages

TAKES = {"HTTP_ACCEPT_ENCODING": "gzip, br"}


@pytest.mark.django_db
def test_a_page_comes_gzipped_to_whoever_takes_that(client):
    plain, packed = client.get("/account/login/"), client.get("/account/login/", **TAKES)
    assert "Content-Encoding" not in plain and packed["Content-Encoding"] == "gzip"
    page = gzip.decompress(packed.content).decode()
    assert page.lstrip().startswith("<!doctype html>") and "csrfmiddlewaretoken" in page
    assert len(packed.content) < 0.5 * len(page) and int(packed["Content-Length"]) == len(packed.content)
    assert "Accept-Encoding" in packed["Vary"]


def test_the_same_page_twice_differs_in_length_so_that_it_tells_nothing(rf):
    small, request = SmallPages(lambda request: None), rf.get("/", **TAKES)
    lengths = [len(small.process_response(request, HttpResponse("<p>the same</p>" * 100)).content) for _ in range(40)]
    assert max(lengths) - min(lengths) > 30


@pytest.mark.django_db
def test_json_and_streams_are_left_as_they_are(client, rf):
    small = SmallPages(lambda request: None)
    request = rf.get("/", **TAKES)
    for answer in (JsonResponse({"a": "b" * 2000}), StreamingHttpResponse([b"data: x\n\n"], content_type="text/html")):
        assert "Content-Encoding" not in small.process_response(request, answer)
    assert "Content-Encoding" not in client.get("/api/schema", {"format": "json"}, **TAKES)


def test_the_worker_s_script_which_each_visit_asks_for_is_small_or_not_there_at_all(client):
    """Whoever has it gets 304, gzipped or not."""
    packed = client.get("/sw.js", **TAKES)
    assert client.get("/sw.js", **TAKES, HTTP_IF_NONE_MATCH=packed["ETag"]).status_code == 304
    script = HttpResponse("const a = 1;\n" * 200, content_type="text/javascript; charset=utf-8")
    small = SmallPages(lambda request: None).process_response(packed.wsgi_request, script)
    assert small["Content-Encoding"] == "gzip" and len(small.content) < 500
