"""How long ten thousand rows of a feed take to come in: read, previewed, imported, and imported once more unchanged.

    python -m bench.feeds [rows]                                     SQLite, in a temporary folder
    DATABASE_URL=postgres://root@127.0.0.1:5432/bench_feeds python -m bench.feeds

Without photos: their time is the other servers'. The run is carried out in slices of 30 s, as a worker of the light
lane does, one after the other in this process. Give PostgreSQL an empty database of its own. Look at the load: it is
printed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("IMODEL_DEBUG", "1")
os.environ["IMODEL_DATA"] = tempfile.mkdtemp(prefix="bench-feeds-")
os.environ["IMODEL_LOG_LEVEL"] = "ERROR"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imodel_site.settings")

import django

django.setup()

from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Merchant  # noqa: E402
from catalog.feeds import reading  # noqa: E402
from catalog.models import CatalogImport  # noqa: E402
from catalog.services import importing  # noqa: E402
from catalog.services.importing import Choices  # noqa: E402
from imodel_site.lib.jobs.claims import claim_next  # noqa: E402
from imodel_site.lib.scope import merchant_scope  # noqa: E402

ROW = "{:<34} {:>8} {:>10}"


def csv_feed(rows: int) -> bytes:
    """Shopify's columns, one row a product."""
    lines = ["Handle,Title,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Image Src,Status"]
    lines += [f'g-{n},Linen dress {n},Dresses,"summer, tag {n % 40}",Color,Red,SKU-{n},,active' for n in range(rows)]
    return "\n".join(lines).encode()


def xml_feed(rows: int) -> bytes:
    """Google's."""
    items = "".join(
        f"<item><g:id>SKU-{n}</g:id><g:title>Linen dress {n}</g:title><g:color>Red</g:color></item>\n"
        for n in range(rows)
    )
    return f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'.encode()


def json_feed(rows: int) -> bytes:
    """WooCommerce's."""
    found = [{"id": n, "sku": f"SKU-{n}", "name": f"Linen dress {n}", "status": "publish"} for n in range(rows)]
    return json.dumps(found, indent=1).encode()


def main() -> None:
    """Run, print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    call_command("migrate", verbosity=0)
    merchant = Merchant.objects.create(name="Bench")
    print(f"{connection.vendor}, {rows} rows, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    print(ROW.format("", "seconds", "rows/s"))
    for name, make in (("read CSV", csv_feed), ("read XML", xml_feed), ("read JSON", json_feed)):
        data = make(rows)
        _say(name, rows, lambda data=data: reading.read(data))
    with merchant_scope(merchant.pk):
        kept = importing.keep(merchant=merchant, file=SimpleUploadedFile("feed.csv", csv_feed(rows)))
        _say("preview", rows, lambda: importing.preview(key=kept.key, choices=Choices()))
        for name in ("import, all new", "import, all unchanged"):
            kept = importing.keep(merchant=merchant, file=SimpleUploadedFile("feed.csv", csv_feed(rows)))
            importing.start(merchant=merchant, by=None, key=kept.key, name=kept.name, choices=Choices())
            _say(name, rows, _carry_out)
    print(f"load {os.getloadavg()[0]:.1f} after")


def _carry_out() -> None:
    """Slice by slice, until nothing waits."""
    while (work := claim_next("light", "bench", models=[CatalogImport])) is not None:
        importing.carry_out(work)


def _say(name: str, rows: int, work: Callable[[], Any]) -> None:
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(ROW.format(name, f"{seconds:.2f}", f"{rows / seconds:,.0f}"), flush=True)


if __name__ == "__main__":
    main()
