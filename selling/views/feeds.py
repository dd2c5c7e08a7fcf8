"""Feeds out: their addresses, the language of alt texts, and each as a download."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import member_required, owner_required, writer_required
from imodel_site.lib.errors import NotHere
from selling import addresses, services
from selling.feeds.formats import FORMATS
from selling.models import Storefront
from selling.views.public import feed_response


@member_required
@require_safe
def feeds(request: Any) -> HttpResponse:
    """Where each feed is."""
    found = services.storefront_of(request.merchant)
    rows = [(format_, addresses.feed_url(found, format_.name)) for format_ in FORMATS.values()]
    context = {
        "rows": rows,
        "storefront": found,
        "languages": Storefront.Language.choices,
        "pictures_url": addresses.pictures_url(request.merchant.pk),
    }
    return render(request, "selling/feeds.html", context)


@writer_required
@require_POST
def language(request: Any) -> HttpResponse:
    """Choose the language of the shop's customers."""
    services.choose_language(actor=request.actor, language=request.POST.get("language", ""))
    messages.success(request, _("Saved. The next look at a feed has its alt texts in this language."))
    return redirect("selling:feeds")


@owner_required
@require_POST
def renew(request: Any) -> HttpResponse:
    """Another secret in the addresses."""
    services.renew_token(actor=request.actor)
    messages.success(request, _("The feeds have new addresses, and the old ones are dead. Tell your shop."))
    return redirect("selling:feeds")


@member_required
@require_safe
def download(request: Any, feed_name: str) -> HttpResponseBase:
    """One of them as a file."""
    if feed_name not in FORMATS:
        raise NotHere
    response = feed_response(services.storefront_of(request.merchant), feed_name)
    response["Content-Disposition"] = f'attachment; filename="{feed_name}"'
    return response
