"""``python -m tests.webhooks.drive <op> <json>``: the web side of a house with webhooks; prints its answer as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import django

ROOT = Path(__file__).resolve().parents[2]


def ask(env: dict[str, str], op: str, **fields: Any) -> Any:
    """From the test: one op in a process of its own."""
    command = [sys.executable, "-m", "tests.webhooks.drive", op, json.dumps(fields)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listen(urls: list[str]) -> str:
    """A merchant with an endpoint for each address; its id."""
    from accounts.models import Merchant
    from accounts.scoping import merchant_scope
    from accounts.services.webhooks import endpoints

    shop = Merchant.objects.create(name="Shop")
    with merchant_scope(shop):
        for url in urls:
            endpoints.add_endpoint(merchant=shop, by=None, url=url)
    return str(shop.pk)


def happen(merchant: str, count: int) -> None:
    """So many shoots end, each in a transaction of its own."""
    from accounts.services.webhooks import emit
    from imodel_site.lib.ids import uuid7

    for number in range(count):
        emit(merchant_id=UUID(merchant), type="shoot.succeeded", subject_id=uuid7(), data={"number": number})


def state() -> list[dict[str, Any]]:
    """Every delivery with its tries."""
    from accounts.models import WebhookDelivery

    rows = WebhookDelivery.objects.order_by("pk").prefetch_related("tries")
    return [
        {"status": row.status, "event": str(row.event_id), "tries": [t.number for t in row.tries.all()]} for row in rows
    ]


def time_passes() -> None:
    """Every lease is over, and what is due later is due now."""
    from django.db.models.functions import Now

    from accounts.models import WebhookDelivery

    WebhookDelivery.objects.filter(status="waiting").update(lease_until=None, due_at=Now())


def main() -> None:
    """One op."""
    django.setup()
    from imodel_site.lib.scope import unscoped

    with unscoped("test drive"):
        print(json.dumps({f.__name__: f for f in (listen, happen, state, time_passes)}[sys.argv[1]](**_fields())))


def _fields() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sys.argv[2])
    return found


if __name__ == "__main__":
    main()
