"""Fetching by URL: no private address, by whatever way, and nobody can hold us up."""

from __future__ import annotations

import gzip
import threading

import pytest

from imodel_site.lib.errors import Refused
from imodel_site.lib.fetch import Fetcher, is_public
from tests.lib.https_server import ADDRESS, certificate, plain_answer, redirects_to, serving

HOST = "pics.example"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), HOST)


def fetcher(tls, port: int, *, addresses: dict[str, str] | None = None, seconds: float = 20.0) -> Fetcher:
    """Takes the test server's address for public, and every real public one."""
    names = {HOST: ADDRESS, **(addresses or {})}

    def resolver(host: str, _port: int) -> list[str]:
        if host in names:
            return [names[host]]
        from imodel_site.lib.fetch import resolve

        return resolve(host, _port)

    return Fetcher((443, port), resolver, lambda a: a == ADDRESS or is_public(a), tls[1], seconds)


def refusal(call) -> str:
    with pytest.raises(Refused) as caught:
        call()
    assert "secret" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::a83f:8110",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "not an address",
    ],
)
def test_an_address_that_is_not_of_the_open_internet_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_a_public_address_is_allowed(address):
    assert is_public(address)


def test_the_bytes_come_back_with_the_original_name_in_host_and_sni(tls):
    with serving(tls[0], plain_answer(b"picture")) as (port, heads):
        found = fetcher(tls, port).fetch(f"https://{HOST}:{port}/a b.jpg?x=1".replace(" ", "%20"))
    assert found == b"picture"
    head = heads[0].decode()
    assert head.startswith("GET /a%20b.jpg?x=1 HTTP/1.1")
    assert f"Host: {HOST}:{port}" in head
    assert "Accept-Encoding: identity" in head


def test_a_certificate_for_another_name_is_refused(tls):
    with serving(tls[0], plain_answer(b"picture")) as (port, _):
        there = fetcher(tls, port, addresses={"other.example": ADDRESS})
        assert refusal(lambda: there.fetch(f"https://other.example:{port}/")) == "url_certificate"


def test_a_certificate_of_an_unknown_authority_is_refused(tls, tmp_path):
    _, stranger = certificate(tmp_path, "elsewhere.example")
    with serving(tls[0], plain_answer(b"picture")) as (port, _):
        there = fetcher((tls[0], stranger), port)
        assert refusal(lambda: there.fetch(f"https://{HOST}:{port}/")) == "url_certificate"


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1:{port}/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]:{port}/",
        "https://0.0.0.0:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://0177.0.0.1:{port}/",
        "https://127.1:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://localhost:{port}/",
    ],
)
def test_neither_directly_nor_by_a_redirect(tls, target):
    with serving(tls[0], plain_answer(b"reached")) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(target.format(port=port))) == "url_not_public"
    with serving(tls[0], plain_answer(b"")) as (other, _):
        with serving(tls[0], redirects_to(target.format(port=other))) as (port, _):
            there = Fetcher((443, port, other), fetcher(tls, port).resolver, fetcher(tls, port).allowed, tls[1])
            assert refusal(lambda: there.fetch(f"https://{HOST}:{port}/")) == "url_not_public"


@pytest.mark.parametrize("target", ["http://pics.example/", "file:///etc/passwd", "ftp://pics.example/", "gopher://x/"])
def test_a_redirect_to_another_scheme_is_refused(tls, target):
    with serving(tls[0], redirects_to(target)) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/")) == "url_invalid"


def test_a_name_that_changes_its_address_between_check_and_connection_gains_nothing(tls):
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [ADDRESS] if len(asked) == 1 else ["127.0.0.1"]

    with serving(tls[0], plain_answer(b"picture")) as (port, heads):
        there = Fetcher((port,), rebinding, lambda a: a == ADDRESS, tls[1])
        assert there.fetch(f"https://{HOST}:{port}/") == b"picture"
        assert asked == [HOST]
        assert len(heads) == 1


def test_one_private_address_among_public_ones_refuses_the_name(tls):
    there = Fetcher((443,), lambda host, port: ["93.184.216.34", "127.0.0.1"], is_public, tls[1])
    assert refusal(lambda: there.fetch(f"https://{HOST}/")) == "url_not_public"


def test_an_internal_name_and_one_that_does_not_exist_answer_alike(tls):
    texts = set()
    for resolver in (lambda host, port: ["10.0.0.5"], lambda host, port: []):
        with pytest.raises(Refused) as caught:
            Fetcher((443,), resolver, is_public, tls[1]).fetch("https://intranet.example/")
        texts.add((caught.value.code, str(caught.value)))
    assert len(texts) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://pics.example/a.jpg",
        "https://user:password@pics.example/a.jpg",
        "https://pics.example:8443/a.jpg",
        "https://pics.example:99999/a.jpg",
        "https:///a.jpg",
        "//pics.example/a.jpg",
        "https://pics.example/a.jpg\r\nX-Evil: 1",
        "https://pics.example\\@127.0.0.1/",
        "https://" + "a" * 70 + ".example/",
        "https://pics.example/" + "a" * 3000,
        "",
    ],
)
def test_what_is_not_a_plain_https_address_is_refused(url):
    assert refusal(lambda: Fetcher(resolver=lambda host, port: [ADDRESS]).fetch(url)) == "url_invalid"


def test_three_redirects_are_followed_and_a_fourth_is_not(tls):
    def counting(line, head: bytes) -> None:
        number = int(head.split(b"/")[1].split(b" ")[0])
        answer = plain_answer(b"picture") if number == 0 else redirects_to(f"/{number - 1}")
        answer(line, head)

    with serving(tls[0], counting) as (port, heads):
        assert fetcher(tls, port).fetch(f"https://{HOST}:{port}/3") == b"picture"
        assert len(heads) == 4
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/4")) == "url_too_many_redirects"


def test_a_server_that_drips_is_cut_off(tls):
    stop = threading.Event()

    def dripping(line, head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stop.wait(0.05):
            line.sendall(b".")

    with serving(tls[0], dripping) as (port, _):
        assert refusal(lambda: fetcher(tls, port, seconds=0.5).fetch(f"https://{HOST}:{port}/")) == "url_too_slow"
        stop.set()


def test_a_server_that_drips_its_headers_is_cut_off(tls):
    stop = threading.Event()

    def dripping(line, head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not stop.wait(0.05):
            line.sendall(b".")

    with serving(tls[0], dripping) as (port, _):
        assert refusal(lambda: fetcher(tls, port, seconds=0.5).fetch(f"https://{HOST}:{port}/")) == "url_too_slow"
        stop.set()


def test_more_than_the_cap_is_refused_by_its_header_and_while_it_streams(tls):
    with serving(tls[0], plain_answer(b"x" * 2000)) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/", most=1999)) == "url_too_large"
        assert len(fetcher(tls, port).fetch(f"https://{HOST}:{port}/", most=2000)) == 2000

    def endless(line, head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(b"x" * 10_000)

    with serving(tls[0], endless) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/", most=50_000)) == "url_too_large"


def test_nothing_is_decompressed(tls):
    bomb = gzip.compress(bytes(5_000_000))
    with serving(tls[0], plain_answer(bomb, extra="Content-Encoding: gzip\r\n")) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/")) == "url_encoded"
    with serving(tls[0], plain_answer(bomb)) as (port, _):
        assert fetcher(tls, port).fetch(f"https://{HOST}:{port}/") == bomb


@pytest.mark.parametrize("status", ["404 Not Found", "500 secret words", "204 No Content"])
def test_another_status_than_200_is_said_by_its_number_alone(tls, status):
    with serving(tls[0], plain_answer(b"secret body", status=status)) as (port, _):
        with pytest.raises(Refused) as caught:
            fetcher(tls, port).fetch(f"https://{HOST}:{port}/")
    assert caught.value.code == "url_status"
    assert status[:3] in str(caught.value)
    assert "secret" not in str(caught.value)


def test_half_a_body_is_no_body(tls):
    def half(line, head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with serving(tls[0], half) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/")) == "url_unreachable"


def test_a_chunked_body_is_put_together(tls):
    def chunked(line, head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npic\r\n4\r\nture\r\n0\r\n\r\n")

    with serving(tls[0], chunked) as (port, _):
        assert fetcher(tls, port).fetch(f"https://{HOST}:{port}/") == b"picture"


def test_nonsense_instead_of_http_is_unreachable(tls):
    with serving(tls[0], lambda line, head: line.sendall(b"secret nonsense\r\n\r\n")) as (port, _):
        assert refusal(lambda: fetcher(tls, port).fetch(f"https://{HOST}:{port}/")) == "url_unreachable"


def test_a_proxy_of_the_environment_is_not_used(tls, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(tls[0], plain_answer(b"picture")) as (port, _):
        assert fetcher(tls, port).fetch(f"https://{HOST}:{port}/") == b"picture"


def test_a_closed_port_is_unreachable_and_may_be_tried_again(tls):
    import socket

    with socket.create_server((ADDRESS, 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Refused) as caught:
        fetcher(tls, port).fetch(f"https://{HOST}:{port}/")
    assert (caught.value.code, caught.value.retryable) == ("url_unreachable", True)
