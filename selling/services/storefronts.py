"""A shop's own settings: the language of its customers, and the secret in its feeds' addresses."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import allow_owner, allow_write
from accounts.actors import Actor
from accounts.models import Merchant
from imodel_site.lib.errors import Refused
from selling.models import Storefront, new_token


def storefront_of(merchant: Merchant) -> Storefront:
    """The merchant's, in its scope; the first call makes it."""
    found: Storefront = Storefront.objects.get_or_create(merchant=merchant)[0]
    return found


def choose_language(*, actor: Actor, language: str) -> None:
    """Which language alt texts are written in.

    Raises:
        Refused: ``language_unknown``.
    """
    allow_write(actor)
    if language not in Storefront.Language.values:
        raise Refused("language_unknown", _("Choose one of the languages that are offered."), field="language")
    Storefront.objects.filter(pk=storefront_of(actor.merchant).pk).update(language=language)


@transaction.atomic
def renew_token(*, actor: Actor) -> Storefront:
    """Another secret: the feeds' old addresses are dead when this returns."""
    allow_write(actor)
    allow_owner(actor)
    found = storefront_of(actor.merchant)
    found.feed_token = new_token()
    found.save(update_fields=["feed_token"])
    return found
