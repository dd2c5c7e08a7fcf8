"""Who acts: a member of a merchant at a browser, or a program with one of its keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.models import ApiKey, Membership, Merchant, Role, User

READ, WRITE = "read", "write"


@dataclass(frozen=True)
class Actor:
    """Whoever asks, for one merchant. ``user`` is None for a key, ``role`` and ``api_key`` exclude one another."""

    merchant: Merchant
    user: User | None = None
    role: str = ""
    api_key: ApiKey | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def may_write(self) -> bool:
        """The role or the key allows changes, whatever state the merchant is in."""
        return WRITE in self.scopes

    @property
    def can_write(self) -> bool:
        """May change things now: a merchant that is being deleted is there for reading only."""
        return self.may_write and self.merchant.status == Merchant.Status.ACTIVE

    @property
    def is_owner(self) -> bool:
        """May deal with people, keys and the merchant's end; a key never may."""
        return self.role == Role.OWNER

    @property
    def is_staff(self) -> bool:
        """Works for the site."""
        return self.user is not None and self.user.is_staff


def member(membership: Membership) -> Actor:
    """A person in the role of this membership (its user and merchant loaded)."""
    scopes = {READ} if membership.role == Role.VIEWER else {READ, WRITE}
    return Actor(membership.merchant, user=membership.user, role=membership.role, scopes=frozenset(scopes))


def program(key: ApiKey) -> Actor:
    """A program with this key (its merchant loaded). A write key reads as well."""
    scopes = {READ, WRITE} if key.scope == ApiKey.Scope.WRITE else {READ}
    return Actor(key.merchant, api_key=key, scopes=frozenset(scopes))
