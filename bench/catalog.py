"""How quick the catalog is at ten thousand garments: pages, filters and search, on SQLite and PostgreSQL.

    .venv/bin/python -m bench.catalog [garments]                    SQLite, in a temporary folder
    DATABASE_URL=postgres://root@127.0.0.1:5432/bench_catalog .venv/bin/python -m bench.catalog

The database is migrated and filled by the bench; give PostgreSQL an empty one of its own.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("IMODEL_DEBUG", "1")
os.environ["IMODEL_DATA"] = tempfile.mkdtemp(prefix="bench-catalog-")
os.environ["IMODEL_LOG_LEVEL"] = "ERROR"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imodel_site.settings")

import django

django.setup()

from allauth.account.models import EmailAddress  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import Membership, Merchant, Role, User  # noqa: E402
from catalog.listing import Filters, page_of  # noqa: E402
from catalog.models import Asset, Category, Garment, GarmentPhoto, GarmentTag, View  # noqa: E402
from catalog.services.garments import fold  # noqa: E402
from imodel_site.lib.scope import merchant_scope, unscoped  # noqa: E402

COLOURS = ("Red", "Navy", "Black", "White", "Olive", "Camel", "Teal", "Pink", "Grey", "Cream")
WORDS = ("Linen", "Wool", "Silk", "Cotton", "Ribbed", "Pleated", "Wide", "Slim", "Cropped", "Long")
KINDS = ("shirt", "dress", "coat", "skirt", "trousers", "sweater", "jacket")
ROUNDS = 15
PASSWORD = "only for the bench"


def fill(merchant: Merchant, count: int) -> None:
    """Garments with one to three photos and two tags each; assets without files."""
    garments = [_garment(merchant, number) for number in range(count)]
    Garment.objects.bulk_create(garments, batch_size=1000)
    tags = [(garment, n % 40) for n, garment in enumerate(garments)] + [(g, 40 + n % 7) for n, g in enumerate(garments)]
    GarmentTag.objects.bulk_create(
        [GarmentTag(merchant=merchant, garment=garment, name=f"tag {tag}") for garment, tag in tags], batch_size=1000
    )
    sides = [(garment, view) for n, garment in enumerate(garments) for view in View.values[: 1 + n % 3]]
    assets = [_asset(merchant, number) for number in range(len(sides))]
    Asset.objects.bulk_create(assets, batch_size=1000)
    GarmentPhoto.objects.bulk_create(
        [
            GarmentPhoto(merchant=merchant, garment=garment, asset=asset, view=view, position=View.values.index(view))
            for (garment, view), asset in zip(sides, assets, strict=True)
        ],
        batch_size=1000,
    )


def _garment(merchant: Merchant, n: int) -> Garment:
    name, sku = f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} {KINDS[n % 7]} {n}", f"SKU-{n:06}"
    kind = KINDS[n % 7]
    category = kind if kind in Category.values else Category.OTHER
    colour = COLOURS[n % 10]
    search = fold(f"{name} {sku} {colour} tag {n % 40} tag {40 + n % 7}")
    return Garment(merchant=merchant, name=name, sku=sku, category=category, colour=colour, search=search)


def _asset(merchant: Merchant, n: int) -> Asset:
    thumbs = {size: f"m/x/asset/{n}.{size}" for size in ("small", "medium", "large")}
    plain = {"content_type": "image/jpeg", "width": 1200, "height": 1800, "bytes": 1}
    return Asset(merchant=merchant, sha256=f"{n:064x}", key=f"m/x/asset/{n}", thumbs=thumbs, **plain)


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds: the median and the worst of some rounds after a warm-up."""
    call()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took), max(took)


def last_mark() -> str:
    """The mark of the page before the last one."""
    mark, following = "", "x"
    while following:
        page = page_of(Filters(), after=mark, size=1000)
        mark, following = (page.after or mark), page.after
    return mark


def main() -> None:
    """Fill and measure."""
    call_command("migrate", verbosity=0)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    merchant = Merchant.objects.create(name="Bench")
    user = User.objects.create_user("bench@example.com", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    with unscoped("bench"):
        Membership.objects.create(user=user, merchant=merchant, role=Role.OWNER)
    with merchant_scope(merchant.pk):
        fill(merchant, count)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        mark = last_mark()
        rows = {
            "first page": lambda: page_of(Filters()),
            "last page": lambda: page_of(Filters(), after=mark),
            "by name": lambda: page_of(Filters(sort="name")),
            "last changed first": lambda: page_of(Filters(sort="changed")),
            "category": lambda: page_of(Filters(category="coat")),
            "colour": lambda: page_of(Filters(colour="navy")),
            "tag": lambda: page_of(Filters(tag="tag 7")),
            "no photo of the side": lambda: page_of(Filters(missing="side")),
            "search, many found": lambda: page_of(Filters(q="linen")),
            "search, one found": lambda: page_of(Filters(q="sku-004711")),
            "search, none found": lambda: page_of(Filters(q="no such thing")),
        }
        print(f"{count} garments, {connection.vendor}; milliseconds, median and worst of {ROUNDS}")
        for name, call in rows.items():
            print("{:24} {:8.1f} {:8.1f}".format(name, *timed(call)))
    settings.ALLOWED_HOSTS.append("testserver")
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    for name, address in (("whole page", "/catalog/"), ("API list of 50", "/api/v1/garments")):
        assert client.get(address).status_code == 200, address
        print("{:24} {:8.1f} {:8.1f}".format(name, *timed(lambda address=address: client.get(address))))


if __name__ == "__main__":
    main()
