"""`manage.py doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from imodel_site.doctor import database, machine, money, queue, stores
from imodel_site.doctor.findings import BAD, Examination, Finding, examine, worst

ALL: dict[str, Examination] = {
    "database": database.reachable,
    "database version": database.version,
    "migrations": database.migrated,
    "row security": database.role,
    "clock": database.clock,
    "storage": stores.storage,
    "disk": stores.disk,
    "backup": stores.backup,
    "cache": stores.caching,
    "e-mail": stores.mail,
    "queue": queue.jobs,
    "workers": queue.workers,
    "credits": money.ledgers,
    "weights": machine.weights,
    "system libraries": machine.libraries,
    "secret key": machine.secret,
    "wire": machine.wire,
}


class Command(BaseCommand):
    """Exit status 0 when nothing is bad, 1 otherwise."""

    help = "Check database, storage, cache, queue, weights, clock and settings; say what to do about each finding."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's entry."""
        findings = []
        for finding in examine(ALL):
            findings.append(finding)
            if not options["json"]:
                self._line(finding)
        if options["json"]:
            self.stdout.write(
                json.dumps({"status": worst(findings), "findings": [f.as_json() for f in findings]}, indent=2)
            )
        if worst(findings) == BAD:
            sys.exit(1)

    def _line(self, finding: Finding) -> None:
        paint = {"ok": self.style.SUCCESS, "warn": self.style.WARNING, "bad": self.style.ERROR}[finding.level]
        self.stdout.write(f"{paint(f'{finding.level:4}')}  {finding.name}: {finding.says}")
        if finding.todo:
            self.stdout.write(f"      {finding.todo}")
