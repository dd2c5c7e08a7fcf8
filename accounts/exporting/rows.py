"""The rows of a merchant as JSON, a line each: every column but secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from accounts import tables
from accounts.models import Membership, Merchant, User

AT_ONCE = 500
OF_PEOPLE = ("id", "email", "name", "language")  # no password, no second factor, nothing of their other shops


def sources(merchant_id: UUID) -> Iterator[tuple[str, Any, list[str]]]:
    """Each table: its name, the merchant's rows of it, and the columns that are taken."""
    yield "accounts_merchant", Merchant.objects.filter(pk=merchant_id), columns(Merchant)
    members = User.objects.filter(pk__in=Membership.objects.filter(merchant_id=merchant_id).values("user"))
    yield "accounts_user", members, list(OF_PEOPLE)
    for model in tables.owned():
        yield model._meta.db_table, model.objects.filter(merchant_id=merchant_id), columns(model)


def columns(model: Any) -> list[str]:
    """The columns of a table that its merchant may take along."""
    secret = getattr(model, "secret_columns", ())
    return [field.attname for field in model._meta.concrete_fields if field.name not in secret]


def lines(rows: Any, names: list[str]) -> Iterator[bytes]:
    """By primary key, a batch a statement: no cursor and no transaction stays open however long it takes."""
    last: Any = None
    while True:
        more = rows.order_by("pk") if last is None else rows.filter(pk__gt=last).order_by("pk")
        found = list(more.values(*names, "pk")[:AT_ONCE])
        for row in found:
            last = row.pop("pk")
            yield json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(found) < AT_ONCE:
            return
