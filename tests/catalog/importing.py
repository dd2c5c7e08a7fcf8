"""The web side of an import in a house under test (tests/jobs/drive.py): ordered, and looked at from outside."""

from __future__ import annotations

from typing import Any

from accounts.models import Merchant, WebhookEvent
from accounts.scoping import merchant_scope
from catalog.models import CatalogImport, Garment, ImportRow
from catalog.services import importing
from catalog.services.importing import Choices
from tests.catalog.pictures import upload


def order(rows: int) -> str:
    """Of a new merchant."""
    merchant = Merchant.objects.create(name="Atelier")
    table = "Name,SKU\n" + "".join(f"Coat {n},C-{n}\n" for n in range(rows))
    with merchant_scope(merchant):
        kept = importing.keep(merchant=merchant, file=upload(table.encode(), "coats.csv", "text/csv"))
        run = importing.start(merchant=merchant, by=None, key=kept.key, name=kept.name, choices=Choices())
    return str(run.pk)


def state(run: str) -> dict[str, Any]:
    """The row, and what there must be one of for each of the table's."""
    row = CatalogImport.objects.get(pk=run)
    skus = list(Garment.objects.filter(merchant_id=row.merchant_id).values_list("sku", flat=True))
    return {
        "status": row.status,
        "token": row.token,
        "losses": row.losses,
        "worker": row.worker,
        "done": row.rows_done,
        "garments": len(skus),
        "twins": len(skus) - len(set(skus)),
        "rows": ImportRow.objects.filter(run=row, code="").count(),
        "events": WebhookEvent.objects.filter(merchant_id=row.merchant_id, type="import.finished").count(),
    }
