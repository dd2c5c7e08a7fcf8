"""Structured logs: one JSON object a line, with the request, the merchant and the job, and without secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")
job_id: ContextVar[str] = ContextVar("job_id", default="")

_NAMES = r"authorization|password|secret|token|sessionid|csrf\w*"
SECRETS = (
    re.compile(r"(imk_(?:live|test)_[A-Za-z0-9]{4})[A-Za-z0-9_-]+"),
    re.compile(r"(whsec_)[A-Za-z0-9+/=_-]+"),
    re.compile(r"((?:postgres(?:ql)?|redis|rediss|smtps?|https?)://[^:/@\s]*:)[^@/\s]+(?=@)"),
    re.compile(rf"((?i:{_NAMES})[\"']?\s*[:=]\s*[\"']?(?i:bearer |basic )?)[^\s\"',;]+"),
)


def redact(text: str) -> str:
    """The text with keys, passwords and tokens blotted out."""
    for pattern in SECRETS:
        text = pattern.sub(r"\1***", text)
    return text


def route_of(request: Any) -> str:
    """The route as the URL configuration writes it; never the path, which may hold an invitation's secret."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "(no route)"


class RouteForPath(logging.Filter):
    """Django's own request log names the path, in its arguments: put the route there instead."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        request = getattr(record, "request", None)
        path = getattr(request, "path", None)
        if request is not None and isinstance(record.args, tuple):
            record.args = tuple(route_of(request) if value == path else value for value in record.args)
        return True


class Strangers(logging.Filter):
    """What Django refuses at the door (a Host that is not served, too many files) is no error of ours: whoever likes
    could fill the log with tracebacks, and wake whoever is called at errors.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass, as a warning of one line."""
        if record.name.startswith("django.security.") and record.levelno == logging.ERROR:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class Context(logging.Filter):
    """Adds ``request_id``, ``merchant_id`` and ``job_id`` to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        from imodel_site.lib.scope import open_scope

        scope = open_scope()
        record.request_id = request_id.get()
        record.job_id = job_id.get()
        record.merchant_id = str(scope.merchant_id) if scope and scope.merchant_id else ""
        for name, value in getattr(record, "facts", {}).items():
            setattr(record, name, value)
        return True


class Redact(logging.Filter):
    """Blots secrets out of the message; its arguments are merged first."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        record.msg, record.args = redact(record.getMessage()), None
        return True


class JsonLines(JsonFormatter):
    """at, level, logger, message, the context's ids, the facts that the caller gave, and the traceback, redacted."""

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}{request_id}{merchant_id}{job_id}",
            style="{",
            rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
            # Objects that Django hangs on its records: unreadable as JSON, and they may show what they should not.
            reserved_attrs=[*RESERVED_ATTRS, "request", "server_time", "status_code", "facts", "taskName"],
            json_ensure_ascii=False,
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # logging's name
        """UTC, to the millisecond, as RFC 3339 writes it."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def formatException(self, ei: Any) -> str:  # logging's name
        """The traceback without secrets."""
        return redact(str(super().formatException(ei)))


class PlainLines(logging.Formatter):
    """For eyes: time, level, logger, message, and the ids that there are."""

    def format(self, record: logging.LogRecord) -> str:  # logging's name
        """One line, and the traceback below it."""
        ids = " ".join(
            f"{name[:-3]}={value}"
            for name in ("request_id", "merchant_id", "job_id")
            if (value := getattr(record, name, ""))
        )
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{at} {record.levelname:7} {record.name} {record.getMessage()}{f' [{ids}]' if ids else ''}"
        return redact("\n".join([line, *([self.formatException(record.exc_info)] if record.exc_info else [])]))


@contextmanager
def of_job(identity: object) -> Iterator[None]:
    """Log lines inside carry this job's id."""
    token = job_id.set(str(identity))
    try:
        yield
    finally:
        job_id.reset(token)
