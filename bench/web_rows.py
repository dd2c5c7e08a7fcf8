"""Rows for bench/web.py: one merchant's catalog, shoots and pictures, without files behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.scoping import merchant_scope
from accounts.services.api_keys import make_key
from accounts.services.merchants import open_merchant
from catalog.models import Asset, Garment, GarmentPhoto, GarmentTag
from catalog.services.garments import fold
from generation.models import Picture, Shoot, Verdict
from imodel_site.lib.jobs.model import Status

WORDS = ("linen shirt", "wool coat", "poppy dress", "stripe tee", "pleated skirt")
THUMBS = {size: f"m/bench/{size}.webp" for size in ("small", "medium", "large")}
VARIANTS = {
    name: {"key": f"m/bench/{name}.webp", "width": 512, "height": 768, "bytes": 90_000, "sha256": "0" * 64}
    for name in ("full", "display", "large", "medium", "small")
}


@dataclass(frozen=True)
class Filled:
    """What the calls need."""

    session: str
    key: str
    garment: Any
    picture: Any
    shoot: Any


def fill(*, garments: int, password: str) -> Filled:
    """A garment with a photo each, and two pictures for every garment."""
    user = User.objects.create_user("bench@example.com", password, name="Bench")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    merchant = open_merchant(owner=user, name="Bench")
    with merchant_scope(merchant):
        rows = _catalog(garments)
        pictures = _pictures(rows)
        waiting = Shoot.objects.create(garment=rows[0], queued_at=timezone.now())
        scope, lifetime = ApiKey.Scope.READ, timedelta(days=1)
        key = make_key(
            merchant=merchant, by=user, name="bench", scope=scope, store="", live=True, lifetime=lifetime
        ).text
    return Filled(_session(user), key, rows[-1].pk, pictures[-1].pk, waiting.pk)


def _catalog(count: int) -> list[Garment]:
    names = [f"{WORDS[number % len(WORDS)]} {number}" for number in range(count)]
    rows = Garment.objects.bulk_create(
        Garment(name=name, sku=f"B-{n}", search=fold(name)) for n, name in enumerate(names)
    )
    assets = Asset.objects.bulk_create(
        Asset(
            sha256=f"{n:064d}",
            key=f"m/bench/{n}.webp",
            content_type="image/webp",
            width=1200,
            height=1800,
            bytes=400_000,
            thumbs=THUMBS,
        )
        for n in range(count)
    )
    GarmentPhoto.objects.bulk_create(GarmentPhoto(garment=g, asset=a) for g, a in zip(rows, assets, strict=True))
    GarmentTag.objects.bulk_create(GarmentTag(garment=g, name=f"tag {n % 7}") for n, g in enumerate(rows))
    return list(rows)


def _pictures(rows: list[Garment]) -> list[Picture]:
    now = timezone.now()
    order = {"op": "shoot", "body": {"order": {}}, "files": {}}
    done = Shoot.objects.bulk_create(
        Shoot(garment=g, queued_at=now, status=Status.SUCCEEDED, started_at=now, finished_at=now, count=2, order=order)
        for g in rows
    )
    return list(
        Picture.objects.bulk_create(
            Picture(
                shoot=shoot,
                index=index,
                token=1,
                kind=shoot.kind,
                garment_id=shoot.garment_id,
                files=VARIANTS,
                width=512,
                height=768,
                seed=index,
                verdict=Verdict.NONE,
            )
            for shoot in done
            for index in (0, 1)
        )
    )


def _session(user: User) -> str:
    """Signed in as a browser would be."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
