"""An HTTPS server of our own, with a certificate authority of our own, for tests of fetching."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.2"  # loopback, but not the loopback that redirects are aimed at
Answer = Callable[[ssl.SSLSocket, bytes], None]


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """(PEM with key and certificate for that host name, a context that trusts its authority)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = cert.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(secret + pem)
    return path, ssl.create_default_context(cadata=pem.decode())


@contextmanager
def serving(pem: Path, answer: Answer) -> Iterator[tuple[int, list[bytes]]]:
    """A server for the block: (its port, the heads of the requests that came)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    heads: list[bytes] = []
    with socket.create_server((ADDRESS, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, answer, heads), daemon=True).start()
        yield listener.getsockname()[1], heads


def _accept(listener: socket.socket, context: ssl.SSLContext, answer: Answer, heads: list[bytes]) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(plain, context, answer, heads), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, answer: Answer, heads: list[bytes]) -> None:
    try:
        with context.wrap_socket(plain, server_side=True) as line:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = line.recv(4096)
                if not piece:
                    return
                head += piece
            heads.append(head)
            answer(line, head)
    except OSError:
        plain.close()


def plain_answer(body: bytes, *, status: str = "200 OK", extra: str = "") -> Answer:
    """An answerer with a fixed body."""

    def answer(line: ssl.SSLSocket, head: bytes) -> None:
        line.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)

    return answer


def redirects_to(url: str) -> Answer:
    """An answerer that always sends elsewhere."""
    return plain_answer(b"secret body", status="302 Found", extra=f"Location: {url}\r\n")
