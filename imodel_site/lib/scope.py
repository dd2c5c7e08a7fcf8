"""Whose rows the running code may touch: one merchant's, or, for a stated reason, everybody's.

The scope is a context variable, so each request, task and thread has its own. On PostgreSQL the same answer is told to
the database before each statement that needs it (ring 5, docs/tenancy.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


class NoScope(RuntimeError):
    """Merchant-owned rows were asked for while no scope was open: a bug in the caller, never the merchant's doing."""


@dataclass(frozen=True)
class Scope:
    """``merchant_id`` None is everybody's rows, and then ``reason`` says why."""

    merchant_id: UUID | None
    reason: str = ""

    @property
    def setting(self) -> str:
        """The value of PostgreSQL's ``app.merchant`` for it."""
        return "*" if self.merchant_id is None else str(self.merchant_id)


_scope: ContextVar[Scope | None] = ContextVar("imodel_scope", default=None)


def current() -> Scope:
    """The open scope.

    Raises:
        NoScope: none is open.
    """
    scope = _scope.get()
    if scope is None:
        raise NoScope("No merchant scope is open: wrap this in merchant_scope(...), or in unscoped('why').")
    return scope


def open_scope() -> Scope | None:
    """The open scope, or None."""
    return _scope.get()


@contextmanager
def merchant_scope(merchant_id: UUID) -> Iterator[None]:
    """Only this merchant's rows exist inside."""
    if not isinstance(merchant_id, UUID):  # a Merchant would make a scope in which nothing matches
        raise TypeError(f"merchant_scope needs the merchant's id, not {type(merchant_id).__name__}")
    token = _scope.set(Scope(merchant_id))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def unscoped(reason: str) -> Iterator[None]:
    """Every merchant's rows: for claims, sweeps, sign-in and staff; ``reason`` is for whoever greps for this."""
    if not reason:
        raise ValueError("unscoped() needs a reason")
    token = _scope.set(Scope(None, reason))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def no_scope() -> Iterator[None]:
    """Close whatever scope is open: the outermost door of a request or a task starts here."""
    token = _scope.set(None)
    try:
        yield
    finally:
        _scope.reset(token)
