"""Pictures by URL, and posts to URLs, without lending our network to whoever writes them (docs/files.md, webhooks.md).

The name is resolved once, every address it has must be public, and the connection goes to the very address that was
checked, with the original name in Host, in SNI and in the certificate check. Redirects are followed by the same rules,
three at most; a post follows none. Nothing of an answer but a picture's bytes is ever shown to anybody: error texts do
not quote it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import SSLError as Urllib3SSLError

from imodel_site.lib.errors import Refused
from imodel_site.lib.said import said
from studio.images import MAX_FILE_BYTES

REDIRECTS = 3
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 20.0
LONGEST_URL = 2_000
PIECE = 64 * 1024
PORTS = {"https": 443, "http": 80}
UNICAST6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Routed like public ones, and yet a cloud's own, inside its machines: Oracle's metadata, Azure's wire server.
INSIDE_CLOUDS = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("168.63.129.16/32"))
IN_A_URL = "/%:=&?~+!$,;'@()*[]"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]


def is_public(text: str) -> bool:
    """Whether an address belongs to the open internet; an IPv4 address inside an IPv6 one decides for it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a zone, such as fe80::1%eth0
        return False
    inner = _inner(address)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(address, ipaddress.IPv6Address):
        return address in UNICAST6 and address.is_global and address.teredo is None
    if any(address in network for network in INSIDE_CLOUDS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv4-mapped, 6to4 or NAT64 (RFC 6052) address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, as the system knows it."""
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Answer:
    """What is known of an answer to a post: never its body."""

    status: int
    retry_after: str = ""


@dataclass(frozen=True)
class Fetcher:
    """How URLs are fetched; the defaults are the rules, the fields exist for tests.

    Args:
        ports: that a URL may name.
        resolver: name and port to addresses; called once for each hop.
        allowed: whether an address may be connected to.
        trust: certificates that are trusted; None for the system's.
        seconds: for everything, redirects included.
        schemes: that a URL may have; http is for trying things out only.
    """

    ports: Container[int] = (443,)
    resolver: Resolver = resolve
    allowed: Callable[[str], bool] = is_public
    trust: ssl.SSLContext | None = None
    seconds: float = TOTAL_SECONDS
    schemes: tuple[str, ...] = ("https",)

    def fetch(self, url: str, *, most: int = MAX_FILE_BYTES) -> bytes:
        """The bytes at a URL, as they are: nothing is decompressed.

        Raises:
            Refused: ``url_invalid``, ``url_not_public``, ``url_unreachable`` and ``url_too_slow`` (retryable),
                ``url_certificate``, ``url_status``, ``url_too_many_redirects``, ``url_too_large``, ``url_encoded``.
        """
        end = time.monotonic() + self.seconds
        for _hop in range(REDIRECTS + 1):
            answer = self._hop(self._checked(url), end, most)
            if isinstance(answer, bytes):
                return answer
            url = urljoin(url, answer)
        raise Refused("url_too_many_redirects", _("This address leads on and on. Use the picture's own address."))

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int = PIECE) -> Answer:
        """Post, and say how it was answered; a redirect is an answer like any other and is not followed.

        Args:
            url: checked and resolved anew in each call.
            body: sent as it is.
            headers: of the request, besides those that every request of ours has.
            most: bytes of the answer's body that are read, and thrown away, before the line is closed.

        Raises:
            Refused: ``url_invalid``, ``url_not_public``, ``url_certificate``, and as retryable ``url_unreachable``,
                ``url_too_slow``.
        """
        end = time.monotonic() + self.seconds
        parts = self._checked(url)
        connection = self._line(parts, end)
        with _explained(end), contextlib.closing(connection), connection.ended_at(end):
            _open(connection, end)
            sent = {"User-Agent": "iModel", "Connection": "close", **headers}
            connection.request("POST", _target(parts), body, sent, preload_content=False, decode_content=False)
            answer = connection.getresponse()
            if connection.cut:  # http.client takes a head that was cut off for a whole one
                raise _too_slow()
            _drain(answer, most)
            return Answer(int(answer.status), str(answer.headers.get("Retry-After", "")))

    def check(self, url: str) -> None:
        """Whether ``url`` may be posted to as things stand now; its name is resolved, nothing is sent.

        Raises:
            Refused: ``url_invalid``, ``url_not_public``.
        """
        parts = self._checked(url)
        self._checked_address(str(parts.hostname), int(parts.port or 0), time.monotonic() + CONNECT_SECONDS)

    def _hop(self, parts: SplitResult, end: float, most: int) -> bytes | str:
        """The body, or where a redirect points."""
        connection = self._line(parts, end)
        with _explained(end), contextlib.closing(connection), connection.ended_at(end):
            _open(connection, end)
            connection.request("GET", _target(parts), headers=_headers(), preload_content=False, decode_content=False)
            answer = connection.getresponse()
            if 300 <= answer.status < 400 and answer.headers.get("Location"):
                return str(answer.headers["Location"])
            _check_head(answer, most)
            found = _body(answer, most)
            if connection.cut:  # without a stated length, a line that was cut looks like an end
                raise _too_slow()
            return found

    def _line(self, parts: SplitResult, end: float) -> Any:
        """A connection, not opened yet, to an address that was checked just now."""
        host, port = str(parts.hostname), int(parts.port or 0)
        address = self._checked_address(host, port, end)
        if parts.scheme == "http":
            return _PinnedPlain(host, port, address=address)
        return _Pinned(host, port, address=address, ssl_context=self.trust or ssl.create_default_context())

    def _checked(self, url: str) -> SplitResult:
        """The URL in parts, its port written out.

        Raises:
            Refused: ``url_invalid``.
        """
        bad = Refused("url_invalid", _("Write the whole address of a picture, starting with https://."))
        if len(url) > LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
            raise bad
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS.get(parts.scheme, 0)
            host = (parts.hostname or "").encode("idna").decode()
        except (ValueError, UnicodeError):
            raise bad from None
        if parts.scheme not in self.schemes or not host or parts.username is not None or port not in self.ports:
            raise bad
        return parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _checked_address(self, host: str, port: int, end: float) -> str:
        """One address of the name, all of them having been found public.

        Raises:
            Refused: ``url_not_public``, for a name that does not exist as well: which internal names exist is nobody's
                business.
        """
        found = _in_time(lambda: self.resolver(host, port), min(CONNECT_SECONDS, end - time.monotonic()))
        if not found or not all(self.allowed(address) for address in found):
            raise Refused("url_not_public", _("This address does not exist or is not public. Check it."))
        return str(found[0])


class _ToAnAddress:
    """A connection to an address that was checked, for a name that stands in Host, SNI and the certificate."""

    port: int

    def __init__(self, host: str, port: int, *, address: str, **options: Any) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS, **options)  # type: ignore[call-arg]  # urllib3's
        self.address = address
        self._guard: socket.socket | None = None
        self.cut = False

    def _new_conn(self) -> socket.socket:
        """urllib3 calls this for the plain socket, before TLS."""
        plain = socket.create_connection((self.address, self.port), timeout=CONNECT_SECONDS)
        self._guard = plain.dup()  # TLS takes the first over; this one can still cut the line
        if self.cut:
            self._cut()
        return plain

    @contextlib.contextmanager
    def ended_at(self, end: float) -> Iterator[None]:
        """Cut the line at ``end``: a server that sends a byte a second would satisfy every timeout of a read."""
        timer = threading.Timer(max(0.0, end - time.monotonic()), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if self._guard is not None:
                self._guard.close()

    def _cut(self) -> None:
        self.cut = True
        with contextlib.suppress(OSError):
            if self._guard is not None:
                self._guard.shutdown(socket.SHUT_RDWR)


class _Pinned(_ToAnAddress, HTTPSConnection):
    """Over TLS."""


class _PinnedPlain(_ToAnAddress, HTTPConnection):
    """In the clear."""


def _open(connection: Any, end: float) -> None:
    """Connect, and let what follows take until ``end``: CONNECT_SECONDS were for connecting."""
    connection.connect()
    connection.timeout = max(0.1, end - time.monotonic())  # urllib3 gives it to the socket for each request and answer


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=IN_A_URL)
    return f"{path}?{quote(parts.query, safe=IN_A_URL)}" if parts.query else path


def _headers() -> dict[str, str]:
    return {"Accept": "image/jpeg, image/png, image/webp", "Accept-Encoding": "identity", "User-Agent": "iModel"}


def _in_time(work: Callable[[], list[str]], seconds: float) -> list[str]:
    """The system's resolver knows no timeout, so it is waited for from outside."""
    answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(work())
        except (OSError, UnicodeError):
            answers.put([])

    threading.Thread(target=run, daemon=True).start()
    try:
        return answers.get(timeout=max(0.01, seconds))
    except queue.Empty:
        return []


def _check_head(answer: Any, most: int) -> None:
    if answer.status != 200:
        words = gettext_noop(
            "The other server answered %(status)s instead of a picture. Open the address in a browser to see."
        )
        raise Refused("url_status", said(words, status=answer.status))
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused("url_encoded", _("The other server sends this compressed. Use the picture's own address."))
    stated = answer.headers.get("Content-Length", "")
    if stated.isdigit() and int(stated) > most:
        raise _too_large(most)


def _body(answer: Any, most: int) -> bytes:
    pieces = bytearray()
    while piece := answer.read1(PIECE, decode_content=False):
        pieces += piece
        if len(pieces) > most:
            raise _too_large(most)
    stated = answer.headers.get("Content-Length", "")
    if stated.isdigit() and len(pieces) != int(stated):
        raise _unreachable()
    return bytes(pieces)


def _drain(answer: Any, most: int) -> None:
    """Read some of a body that nobody wants, so that its sender sees a proper end; the status is known by now."""
    with contextlib.suppress(OSError, HTTPError, HTTPException, ValueError):
        while most > 0 and (piece := answer.read1(most, decode_content=False)):
            most -= len(piece)


def _too_large(most: int) -> Refused:
    return Refused(
        "url_too_large", said(gettext_noop("The file there is larger than %(most)s MB."), most=most // 2**20)
    )


def _unreachable() -> Refused:
    return Refused("url_unreachable", _("The other server does not answer. Try again later."), retryable=True)


@contextlib.contextmanager
def _explained(end: float) -> Iterator[None]:
    """Network errors in our words, without theirs: they can quote what came over the line."""
    try:
        yield
    except (ssl.SSLCertVerificationError, Urllib3SSLError) as error:
        if time.monotonic() < end:
            words = _("The other server's certificate is not valid for this address.")
            raise Refused("url_certificate", words) from error
        raise _too_slow() from error
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        raise (_too_slow() if time.monotonic() >= end else _unreachable()) from error


def _too_slow() -> Refused:
    return Refused("url_too_slow", _("The other server is too slow. Try again later."), retryable=True)


PUBLIC = Fetcher()
