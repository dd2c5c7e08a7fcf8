"""The merchant asks staff to look once more at what they removed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.decorators import writer_required
from catalog.access import access_asset
from generation.access import access_picture
from generation.moderation import decisions
from generation.views.pictures import back
from imodel_site.lib.errors import NotHere

FETCH = {"asset": access_asset, "picture": access_picture}


@writer_required
@require_POST
def second_look(request: Any, subject: str, pk: UUID) -> HttpResponse:
    """Once for each thing."""
    if subject not in FETCH:
        raise NotHere()
    row = FETCH[subject](request.actor, pk, write=True)
    decisions.ask_again(by=request.actor.user, subject=subject, row=row)
    messages.success(request, _("Our staff will look again. You need to do nothing more."))
    return back(request)
