"""Which tables hold merchants' rows: derived from the models, so that none is forgotten."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models

from accounts.scoping import LibraryItem, MerchantOwned


def owned() -> list[Any]:
    """Every concrete model whose rows belong to a merchant (library items included), by label."""
    found = [model for model in apps.get_models() if issubclass(model, MerchantOwned | LibraryItem)]
    return sorted(found, key=lambda model: model._meta.label)


def shared(model: Any) -> bool:
    """Whether rows of it may belong to everybody."""
    return issubclass(model, LibraryItem)


def words(label: str) -> Any:
    """What the rows of a table are called, in the plural; the label itself for a table that is no more."""
    try:
        return apps.get_model(label)._meta.verbose_name_plural
    except LookupError:
        return label


def children_first() -> list[Any]:
    """``owned()``, such that whatever points at a row comes before it.

    Raises:
        RuntimeError: two tables point at one another.
    """
    left = owned()
    order: list[Any] = []
    while left:
        free = [model for model in left if not any(model in _parents(other) for other in left if other is not model)]
        if not free:
            raise RuntimeError(f"these tables point at one another: {[model._meta.label for model in left]}")
        order += free
        left = [model for model in left if model not in free]
    return order


def _parents(model: Any) -> set[Any]:
    fields = model._meta.concrete_fields
    return {field.related_model for field in fields if isinstance(field, models.ForeignKey)}
