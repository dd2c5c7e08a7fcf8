"""What the page "Cut out" knows of a photo: its picture, embedding, decoder, proposals and the merchant's own mask."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from accounts.actors import Actor
from catalog.models import Embedding, GarmentMask, GarmentPhoto, Look
from catalog.services import embeddings, masks, segmenters
from imodel_site.lib.jobs.model import ENDED, Status
from imodel_site.lib.signing import media_url


def state_json(photo: GarmentPhoto, *, actor: Actor) -> dict[str, Any]:
    """Everything the editor asks for (docs/segmentation.md); it also asks for the embedding where there is none."""
    embedding = embeddings.want(photo.asset, soon=True)
    look = Look.objects.filter(asset_id=photo.asset_id).first()
    return {
        "photo": _photo(photo),
        "embedding": _embedding(photo, embedding),
        "decoder": _decoder(embedding),
        "encoder": segmenters.browser_encoder(),
        "decode_url": reverse("catalog:cut_decode", args=[photo.pk]),
        **_proposals(look),
        "mask": mask_json(masks.mask_of(photo.asset)),
        "save_url": reverse("catalog:cut_save", args=[photo.pk]),
        "reset_url": reverse("catalog:cut_reset", args=[photo.pk]),
        "can_write": actor.can_write,
    }


def _photo(photo: GarmentPhoto) -> dict[str, Any]:
    """Its size is the original's, which a mask must have; ``url`` shows it at most 1280 pixels large."""
    asset = photo.asset
    return {
        "id": str(photo.pk),
        "url": media_url(asset, "large"),
        "original_url": media_url(asset, "original"),
        "width": asset.width,
        "height": asset.height,
    }


def _embedding(photo: GarmentPhoto, embedding: Embedding | None) -> dict[str, Any]:
    ready = embedding is not None and embedding.status == Status.SUCCEEDED
    url = reverse("catalog:cut_embedding", args=[photo.pk])
    return {
        "status": _status(embedding),
        "url": f"{url}?v={embedding.sha256[:12]}" if ready and embedding else None,
        "etag": etag_of(embedding) if ready and embedding else None,
        "encoder": embedding.encoder if embedding else None,
    }


def etag_of(embedding: Embedding) -> str:
    """Of the ``.npy``, however it is packed on the way."""
    return f'"{embedding.sha256[:32]}"'


def _status(embedding: Embedding | None) -> str:
    if embedding is None:
        return "none"
    if embedding.status == Status.SUCCEEDED:
        return "ready"
    return "failed" if embedding.status in ENDED else "waiting"


def _decoder(embedding: Embedding | None) -> dict[str, Any] | None:
    found = segmenters.decoder_of(embedding.encoder) if embedding else None
    return found.told if found else None


def _proposals(look: Look | None) -> dict[str, Any]:
    found = look.found if look is not None and look.status == Status.SUCCEEDED else {}
    parts = [
        {**{name: part[name] for name in ("part", "score", "box")}, "url": media_url(look, f"mask-{part['part']}")}
        for part in found.get("parts") or ()
    ]
    looking = look is not None and look.status not in ENDED
    return {"proposals": parts, "best": found.get("best"), "looking": looking}


def mask_json(mask: GarmentMask | None) -> dict[str, Any] | None:
    """The merchant's own mask; its address changes with its content."""
    if mask is None:
        return None
    return {
        "url": media_url(mask, mask.variant),
        "sha256": mask.sha256,
        "saved_at": mask.updated_at.isoformat(),
        "edits": mask.edits,
    }
