"""Environment variables, read once and refused loudly: a setting never falls back in silence."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
HOST = re.compile(
    r"^\.?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$|^\[[0-9a-fA-F:.]+\]$"
)
LOCAL = ("localhost", "127.0.0.1", "[::1]")
SECRET_LENGTH, TOKEN_LENGTH = 50, 20
# Two processes write: a writer waits for its turn at BEGIN instead of failing halfway.
SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}


def text(name: str, default: str = "") -> str:
    """A string, stripped."""
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool) -> bool:
    """A yes or no.

    Raises:
        ImproperlyConfigured: the value is neither.
    """
    value = os.environ.get(name, "1" if default else "0").strip().lower()
    if value not in YES | NO:
        raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no: write 1 or 0.")
    return value in YES


def number(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within limits.

    Raises:
        ImproperlyConfigured: not a number, or out of range.
    """
    value = os.environ.get(name, "").strip() or str(default)
    if not re.fullmatch(r"-?[0-9]{1,12}", value) or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name}={value!r} must be a whole number from {least} to {most}.")
    return int(value)


def choice(name: str, default: str, known: tuple[str, ...]) -> str:
    """One of a few words.

    Raises:
        ImproperlyConfigured: none of them.
    """
    value = text(name) or default
    if value not in known:
        raise ImproperlyConfigured(f"{name}={value!r}: write one of {', '.join(known)}.")
    return value


def matching(name: str, default: str, pattern: str, meaning: str) -> str:
    """A string that must look like something.

    Raises:
        ImproperlyConfigured: it does not.
    """
    value = text(name) or default
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name}={value!r} must be {meaning}.")
    return value


def secret_key(*, debug: bool) -> str:
    """``IMODEL_SECRET_KEY``; only debugging does without.

    Raises:
        ImproperlyConfigured: too short to be a secret, or one character over and over.
    """
    value = text("IMODEL_SECRET_KEY") or ("only-for-debugging-" * 4 if debug else "")
    if len(value) < SECRET_LENGTH or len(set(value)) < 5:
        raise ImproperlyConfigured(
            f"IMODEL_SECRET_KEY must hold at least {SECRET_LENGTH} random characters: "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'. (`make run` makes its own.)"
        )
    return value


def old_secret_keys() -> list[str]:
    """``IMODEL_OLD_SECRET_KEYS``: what was signed with them is still good.

    Raises:
        ImproperlyConfigured: one of them is too short to have been a key.
    """
    keys = words("IMODEL_OLD_SECRET_KEYS")
    if any(len(key) < SECRET_LENGTH for key in keys):
        raise ImproperlyConfigured(
            "IMODEL_OLD_SECRET_KEYS holds a key that is too short: separate whole keys by commas."
        )
    return keys


def hosts(*, debug: bool) -> list[str]:
    """``IMODEL_HOSTS``: bare host names.

    Raises:
        ImproperlyConfigured: none, a wildcard, or a name with a scheme, a port or a path.
    """
    named = words("IMODEL_HOSTS") or (list(LOCAL) if debug else [])
    if not named or "*" in named:
        raise ImproperlyConfigured(
            "IMODEL_HOSTS must name the hosts that are served, such as shop.example.com; * is refused."
        )
    for host in named:
        if not HOST.match(host):
            raise ImproperlyConfigured(
                f"IMODEL_HOSTS: {host!r} is not a bare host name; leave out https://, port and path."
            )
    return named


def site_url(named: list[str], *, https: bool) -> str:
    """``IMODEL_SITE_URL``: the address that mails and links name; the first host's unless given.

    Raises:
        ImproperlyConfigured: not an address, of another host, or http although HTTPS is on.
    """
    scheme = "https" if https else "http"
    value = (text("IMODEL_SITE_URL") or f"{scheme}://{named[0].lstrip('.')}").rstrip("/")
    parts = urlsplit(value)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path
        or parts.query
        or not _port_fits(parts)
    ):
        raise ImproperlyConfigured(
            f"IMODEL_SITE_URL={value!r}: write scheme and host only, such as https://shop.example.com."
        )
    if https and parts.scheme == "http":
        raise ImproperlyConfigured(f"IMODEL_SITE_URL={value!r} is http although IMODEL_HTTPS is on: write https://.")
    if not any(_serves(host, parts.hostname) for host in named):
        raise ImproperlyConfigured(f"IMODEL_SITE_URL={value!r} names a host that IMODEL_HOSTS does not: add it there.")
    return value


def _serves(host: str, asked: str) -> bool:
    host = host.lower().strip("[]")
    return asked == host.lstrip(".") or (host.startswith(".") and asked.endswith(host))


def _port_fits(parts: SplitResult) -> bool:
    try:
        return parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return False


def database(value: str) -> dict[str, object]:
    """``DATABASE_URL`` as an entry of DATABASES: ``postgres://user:password@host:5432/name`` or ``sqlite:////a/file``.

    Raises:
        ImproperlyConfigured: another database, a database in memory, or no name. The value, which may hold a password,
            is not repeated.
    """
    scheme = value.split(":", 1)[0]
    if scheme not in ("postgres", "postgresql", "sqlite"):
        raise ImproperlyConfigured(f"DATABASE_URL: {scheme!r} is not supported; use postgres:// or sqlite:////file.")
    try:
        found: dict[str, object] = dict(dj_database_url.parse(value, conn_max_age=60, conn_health_checks=True))
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            "DATABASE_URL can not be read; write postgres://user:password@host:5432/name."
        ) from error
    if scheme != "sqlite":
        return _postgres(found)
    if found["NAME"] == ":memory:":
        raise ImproperlyConfigured("DATABASE_URL: a database in memory can not be shared with the worker; name a file.")
    return {**found, "OPTIONS": dict(SQLITE), "CONN_MAX_AGE": None}


def _postgres(found: dict[str, object]) -> dict[str, object]:
    if not found["NAME"]:
        raise ImproperlyConfigured("DATABASE_URL names no database; write postgres://user:password@host:5432/name.")
    options = found.get("OPTIONS")
    return {**found, "OPTIONS": {"connect_timeout": 5, **(options if isinstance(options, dict) else {})}}


def redis(value: str) -> str:
    """``REDIS_URL``, or nothing.

    Raises:
        ImproperlyConfigured: not an address of Redis.
    """
    parts = urlsplit(value)
    if value and (parts.scheme not in ("redis", "rediss") or not parts.hostname or not _port_fits(parts)):
        raise ImproperlyConfigured(
            "REDIS_URL: write redis://:password@host:6379/0 (rediss:// for TLS), or leave it empty."
        )
    return value


def words(name: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def token(name: str) -> str:
    """A secret that a program shows; empty for none.

    Raises:
        ImproperlyConfigured: too short to be one. The value is not repeated.
    """
    value = text(name)
    if value and len(value) < TOKEN_LENGTH:
        raise ImproperlyConfigured(f"{name} must hold at least {TOKEN_LENGTH} random characters.")
    return value


def networks(name: str) -> list[str]:
    """Comma-separated addresses or networks, such as 127.0.0.1,10.2.0.0/16.

    Raises:
        ImproperlyConfigured: one of them is none.
    """
    found = words(name)
    for network in found:
        try:
            ip_network(network)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}: {network!r} is no address and no network; write 127.0.0.1,10.2.0.0/16."
            ) from None
    return found


def folder(name: str, default: Path) -> Path:
    """A folder, made absolute."""
    return Path(os.environ.get(name) or default).expanduser().resolve()


def storage(value: str, media: Path) -> dict[str, object]:
    """``IMODEL_STORAGE`` as an entry of Django's STORAGES: a folder, or ``s3://bucket/prefix?endpoint=...&region=...``.

    Raises:
        ImproperlyConfigured: another scheme, no bucket, or an option that is not known.
    """
    if not value or "://" not in value:
        location = str(Path(value).expanduser().resolve()) if value else str(media)
        return {
            "BACKEND": "imodel_site.lib.storage.PrivateFiles",
            "OPTIONS": {"location": location, "base_url": None, "file_permissions_mode": 0o600},
        }
    parts = urlsplit(value)
    options = {key: found[-1] for key, found in parse_qs(parts.query).items()}
    if parts.scheme != "s3" or not parts.netloc or set(options) - {"endpoint", "region"}:
        raise ImproperlyConfigured(
            f"IMODEL_STORAGE={value!r}: give a folder, or s3://bucket/prefix?endpoint=https://...&region=... "
            "(keys through AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role)."
        )
    return {
        "BACKEND": "imodel_site.lib.storage.PrivateS3",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": options.get("endpoint"),
            "region_name": options.get("region") or "us-east-1",
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": True,
            "signature_version": "s3v4",
        },
    }


def email(value: str) -> dict[str, object]:
    """``EMAIL_URL``: ``smtp://user:password@host:587?tls=1``, ``smtps://``, ``file:///folder``, or ``console://``.

    Raises:
        ImproperlyConfigured: another scheme, no host or folder, or a port that is none. The value, which may hold a
            password, is not repeated.
    """
    parts = urlsplit(value or "console://")
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return {"EMAIL_BACKEND": "imodel_site.mail.MailFolder", "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not _port_fits(parts):
        raise ImproperlyConfigured(
            "EMAIL_URL: give smtp://user:password@host:587?tls=1, smtps://user:password@host, file:///folder or console://."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and parse_qs(parts.query).get("tls", ["1"])[-1] == "1",
        "EMAIL_TIMEOUT": 20,
    }
