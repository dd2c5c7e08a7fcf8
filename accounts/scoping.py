"""The tenant boundary: what a merchant owns can be reached only inside that merchant's scope (docs/tenancy.md)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from imodel_site.lib import scope
from imodel_site.lib.scope import NoScope, unscoped

__all__ = ["LibraryItem", "MerchantOwned", "NoScope", "merchant_scope", "unscoped"]


def merchant_scope(merchant: Any) -> AbstractContextManager[None]:
    """Open the scope of a merchant (or of its id)."""
    return scope.merchant_scope(merchant if isinstance(merchant, UUID) else merchant.pk)


class ScopedQuerySet(models.QuerySet[Any]):
    """Writes in bulk obey the scope as single ones do."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """Check each row first, as ``save`` would."""
        rows = list(objs)
        for row in rows:
            row.claim_for_scope()
        return super().bulk_create(rows, *args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        """Rows never change hands."""
        if {"merchant", "merchant_id"} & set(kwargs):
            raise ValueError("a row never changes its merchant")
        return super().update(**kwargs)


class MerchantManager(models.Manager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]  # a class made at run time
    """Refuses everything while no scope is open, related managers included."""

    def get_queryset(self) -> Any:
        """The open scope's rows."""
        found = scope.current()
        rows = super().get_queryset()
        return rows if found.merchant_id is None else rows.filter(merchant_id=found.merchant_id)


class LibraryManager(MerchantManager):
    """The shared library's rows besides the merchant's own."""

    def get_queryset(self) -> Any:
        """Shared rows and the open scope's."""
        found = scope.current()
        rows = super(MerchantManager, self).get_queryset()
        if found.merchant_id is None:
            return rows
        return rows.filter(models.Q(merchant_id=found.merchant_id) | models.Q(merchant_id=None))


class _Scoped(models.Model):
    class Meta:
        abstract = True

    def claim_for_scope(self) -> None:
        """Take the scope's merchant when the row has none yet.

        Raises:
            NoScope: none is open, or the row is another merchant's, or points at another merchant's row.
        """
        found = scope.current()
        if found.merchant_id is None:
            return
        if self.merchant_id is None and self._state.adding:  # type: ignore[has-type]
            self.merchant_id = found.merchant_id
        if self.merchant_id != found.merchant_id:
            raise NoScope(f"{type(self).__name__} belongs to another merchant than the open scope")
        self._refuse_foreign_relations()

    def _refuse_foreign_relations(self) -> None:
        """A loaded relation that is merchant-owned must have the same merchant (or be of the shared library)."""
        for field in self._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.is_cached(self):
                other = getattr(getattr(self, field.name), "merchant_id", self.merchant_id)
                if other is not None and other != self.merchant_id:
                    raise NoScope(f"{type(self).__name__}.{field.name} points at another merchant's row")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses a row of another merchant than the open scope's."""
        self.claim_for_scope()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refuses a row of another merchant than the open scope's."""
        self.claim_for_scope()
        return super().delete(*args, **kwargs)


class MerchantOwned(_Scoped):
    """Base of every table whose rows belong to one merchant."""

    merchant = models.ForeignKey("accounts.Merchant", on_delete=models.CASCADE, related_name="+")
    objects: ClassVar[Any] = MerchantManager()
    # What even the merchant's own archive does not hold (docs/exports.md).
    secret_columns: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True
        # Forward relations, refresh_from_db and cascades use the base manager: they obey the scope as well.
        base_manager_name = "objects"
        default_manager_name = "objects"


class LibraryItem(_Scoped):
    """Base of what comes with iModel for everybody (merchant is null) and which a merchant may add to."""

    merchant = models.ForeignKey("accounts.Merchant", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    objects: ClassVar[Any] = LibraryManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"
