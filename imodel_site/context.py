"""What the frame around every page shows: who, for which merchant, in which theme, with how many jobs running."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from accounts.services import credits
from imodel_site.keeping import LEAVING, account_of
from imodel_site.lib.scope import open_scope
from imodel_site.pwa_words import words

THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True)
class Entry:
    """One place in the rail."""

    key: str
    route: str
    icon: str
    words: Any
    letter: str = ""  # goes there after the key "g"

    @property
    def url(self) -> str:
        """Its address; empty when the room is not there."""
        try:
            return reverse(self.route)
        except NoReverseMatch:
            return ""


NAV = (
    Entry("shoot", "generation:new", "camera", _("Shoot"), "s"),
    Entry("catalog", "catalog:garments", "shirt", _("Catalog"), "c"),
    Entry("pictures", "generation:pictures", "images", _("Pictures"), "p"),
    Entry("batches", "generation:batches", "grid-2x2", _("Batches"), "b"),
    Entry("training", "training:trainings", "layers", _("Training"), "t"),
    Entry("shop", "selling:shop", "store", _("In the shop"), "i"),
    Entry("history", "generation:shoots", "history", _("Shoots"), "h"),
    Entry("settings", "accounts:settings", "settings", _("Settings")),
)
ON_THE_PHONE = 3  # entries of the bottom bar; the others stand under More


class Frame:
    """Read by base.html; each part asks the database only when a page shows it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def merchant(self) -> Any:
        """The merchant that the session works for, or None."""
        return getattr(self._request, "merchant", None)

    @property
    def inside(self) -> bool:
        """True with rail and switcher: somebody is logged in and may work for a merchant (it is not suspended)."""
        return getattr(self._request, "actor", None) is not None

    @property
    def memberships(self) -> Any:
        """Where the person belongs; the middleware asks when they are looked at."""
        return getattr(self._request, "memberships", ())

    @cached_property
    def running(self) -> int:
        """The merchant's shoots, trainings and grids that wait or run."""
        return self._under_way.all if self._under_way is not None else 0

    @property
    def running_url(self) -> str:
        """Where they are listed: shoots when there are some, or else trainings."""
        if self._under_way is None or self._under_way.shoots:
            return f"{reverse('generation:shoots')}?status=running"
        return reverse("training:trainings")

    @cached_property
    def _under_way(self) -> Any:
        if open_scope() is None or not apps.is_installed("generation"):
            return None
        from generation import under_way

        return under_way.count()

    @cached_property
    def credits(self) -> int | None:
        """What the merchant may still spend; None while nobody may act for one."""
        return credits.balance(self.merchant) if self.inside and self.merchant is not None else None

    @property
    def pwa(self) -> dict[str, Any]:
        """What src/pwa reads: who is there, where the worker is, and the words it may have to say."""
        worker = "" if settings.DEBUG else reverse("pwa:worker")
        doors = {"worker": worker, "state": reverse("pwa:state"), "leaving": list(map(reverse, LEAVING))}
        return {"account": account_of(self._request), **doors, "words": words()}

    @property
    def theme(self) -> str:
        """system, light or dark."""
        asked = self._request.COOKIES.get(THEME_COOKIE, "")
        return asked if asked in THEMES else "system"

    @property
    def support(self) -> str:
        """The address that merchants write to; empty where the operator named none."""
        return str(settings.SUPPORT_EMAIL)

    @property
    def nav(self) -> list[Entry]:
        """The rail's entries."""
        return [entry for entry in NAV if entry.url]

    @property
    def nav_more(self) -> list[Entry]:
        """What does not fit the bottom bar of a phone."""
        return self.nav[ON_THE_PHONE:]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``frame`` and ``merchant``."""
    found = Frame(request)
    return {"frame": found, "merchant": found.merchant}
