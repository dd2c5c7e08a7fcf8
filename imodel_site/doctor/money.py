"""Credits: does every account say what its ledger adds up to?"""

from __future__ import annotations

from collections.abc import Iterator

from accounts.services import credits
from imodel_site.doctor.findings import Finding, bad, ok


def ledgers() -> Iterator[Finding]:
    """Accounts change only with their entries, so a difference is a hand in the database, or a torn restore."""
    found = credits.unbalanced()
    if found:
        says = f"{len(found)} accounts are not the sum of their ledger, such as that of merchant {found[0]}"
        yield bad("credits", says, "Find out who changed rows by hand; the ledger is right (docs/credits.md).")
    else:
        yield ok("credits", "every account is the sum of its ledger")
