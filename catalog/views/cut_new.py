"""Marking the garment on a photo before it is uploaded: the browser embeds and decodes by itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import writer_required
from catalog import cut_words
from catalog.access import access_garment
from catalog.models import Garment
from catalog.services import segmenters
from imodel_site.lib.isolation import isolated

PHOTO = "PHOTO"  # what the script puts a photo's id in place of


@isolated
@writer_required
@require_safe
def page(request: Any) -> HttpResponse:
    """The editor without a photo; ``garment`` in the query: the photo will be one more of that garment."""
    asked = request.GET.get("garment", "")
    garment = access_garment(request.actor, asked, write=True) if asked else None
    context = {"garment": garment, "words": cut_words.words(), "start": _start(garment)}
    return render(request, "catalog/cut_new.html", context)


def _start(garment: Garment | None) -> dict[str, Any]:
    """What the editor needs in place of a photo's state; the decoder is that of the encoder in the browser."""
    encoder = segmenters.browser_encoder()
    decoder = segmenters.decoder_of(encoder["family"]) if encoder else None
    return {
        "encoder": encoder,
        "decoder": decoder.told if decoder else None,
        "upload_url": reverse("catalog:upload"),
        "state_url": reverse("catalog:cut_state", args=[PHOTO]),
        "cut_url": reverse("catalog:cut", args=[PHOTO]),
        "garment": str(garment.pk) if garment else "",
    }
