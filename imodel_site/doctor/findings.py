"""What an examination found: each finding with what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

OK, WARN, BAD = "ok", "warn", "bad"
log = logging.getLogger("imodel.doctor")


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``todo`` is empty when all is well."""

    name: str
    level: str
    says: str
    todo: str = ""

    def as_json(self) -> dict[str, Any]:
        """For --json and /readyz."""
        return asdict(self)


Examination = Callable[[], Iterable[Finding]]


def ok(name: str, says: str) -> Finding:
    """All is well."""
    return Finding(name, OK, says)


def warn(name: str, says: str, todo: str) -> Finding:
    """It works, but not as it should."""
    return Finding(name, WARN, says, todo)


def bad(name: str, says: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(name, BAD, says, todo)


def examine(examinations: dict[str, Examination]) -> Iterator[Finding]:
    """Run each; one that fails itself is a finding too, and its traceback goes to the log."""
    for name, examination in examinations.items():
        try:
            yield from examination()
        except Exception as error:
            log.warning("examination of %s failed", name, exc_info=True)
            yield bad(name, f"{type(error).__name__}: {_first_line(error)}", "See the log for the traceback.")


def _first_line(error: Exception) -> str:
    from imodel_site.lib.logs import redact

    return redact((str(error).splitlines() or ["no message"])[0])[:200]


def worst(findings: Iterable[Finding]) -> str:
    """bad, warn or ok."""
    levels = {finding.level for finding in findings}
    return next((level for level in (BAD, WARN) if level in levels), OK)
