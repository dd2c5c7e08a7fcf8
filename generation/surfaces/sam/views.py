"""``/sam/*``: clicks become masks. The light lane embeds the photo, the clicks are decoded here (decisions/0012)."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpResponse
from django.urls import reverse
from PIL import Image

from accounts.actors import Actor
from catalog.access import access_photo
from catalog.models import Asset, Embedding
from catalog.services import borrowing, decoding, embeddings, masks, photos, segmenters
from generation.surfaces import pictures, waiting
from generation.surfaces.a1111.fields import as_flag, as_number, as_whole
from generation.surfaces.door import door
from generation.surfaces.sam import dilating
from generation.surfaces.waiting import Patience, StillWorking
from imodel_site.lib.errors import Refused
from imodel_site.lib.images import ROOM
from imodel_site.lib.jobs.model import Status
from studio.errors import InputError

NOTHING = "You neither added point prompts nor enabled GroundingDINO. Segmentation cannot be generated."
DINO = "GroundingDINO's weights are not installed here: say by points what is meant."
SEMANTIC = "No semantic segmentation weights are installed here: /sam/sam-predict cuts out what points show."
DEFAULT_MODEL = "sam_vit_h_4b8939.pth"  # what every client sends that chose nothing
MOST_POINTS = 100


@door("GET")
def heartbeat(actor: Actor, given: Any) -> Any:
    """Somebody is here."""
    return {"msg": "Success!"}


@door("GET")
def sam_model(actor: Actor, given: Any) -> Any:
    """The one that photos are embedded with; none where nothing is."""
    encoder = segmenters.current()
    return [segmenters.family_of(encoder)] if encoder else []


@door("POST", changes=True)
def sam_predict(actor: Actor, given: dict[str, Any]) -> Any:
    """Three candidates for the points."""
    if as_flag(given.get("dino_enabled")):
        raise Refused("dino_unavailable", DINO, field="dino_enabled", status=422)
    positive, negative = (_points(given, name) for name in ("sam_positive_points", "sam_negative_points"))
    data = pictures.decoded(given.get("input_image"), field="input_image")
    if not positive and not negative:
        return {"msg": NOTHING}
    decoding.refuse_too_many(actor.merchant.pk)
    asset, embedding = _embedded(actor, data)
    found = borrowing.candidates(asset, embedding, positive=positive, negative=negative)
    photo = _photo(data, asset)
    shapes = [np.asarray(mask) > 0 for mask, _score in found]
    said = _said(given, embedding, len(positive), len(negative))
    with ROOM:
        return {
            "msg": said,
            "blended_images": [_text(dilating.blended(photo, mask)) for mask in shapes],
            "masks": [_text(dilating.bilevel(mask)) for mask in shapes],
            "masked_images": [_text(dilating.masked(photo, mask)) for mask in shapes],
        }


def _said(given: dict[str, Any], embedding: Embedding, positive: int, negative: int) -> str:
    words = f"SAM inference with 0 box, {positive} positive prompts, {negative} negative prompts done."
    here, asked = segmenters.family_of(embedding.encoder), given.get("sam_model_name") or DEFAULT_MODEL
    return words if asked == here else f"{words} By {here}, which is the model here."


def _points(given: dict[str, Any], name: str) -> list[tuple[float, float]]:
    rows = given.get(name) or []
    if not isinstance(rows, list) or len(rows) > MOST_POINTS:
        raise _invalid(name, f"must be a list of at most {MOST_POINTS} points")
    return [_point(row, name) for row in rows]


def _point(row: Any, name: str) -> tuple[float, float]:
    values = [as_number(value) for value in row] if isinstance(row, list) else []
    if len(values) != 2 or values[0] is None or values[1] is None:
        raise _invalid(name, "must hold points [x, y] in pixels of the picture")
    return values[0], values[1]


def _embedded(actor: Actor, data: bytes) -> tuple[Asset, Embedding]:
    """The photo among the shop's files, and its embedding, waited for.

    Raises:
        Refused: ``segmentation_off``, ``no_place_to_wait``; StillWorking: the embedding goes on.
    """
    with waiting.place(actor) as patience:
        if patience is None:
            raise waiting.full()
        asset = borrowing.borrow(actor.merchant, data)
        pictures.refuse_above(pictures.MOST_WORKED_ON, (asset.width, asset.height), field="input_image")
        return asset, _ready(asset, patience)


def _ready(asset: Asset, patience: Patience) -> Embedding:
    job = borrowing.embedding_of(asset)
    if job is None:
        raise Refused("segmentation_off", "Nothing is segmented here: no model is installed.", status=422)
    if waiting.until(lambda: waiting.ended(job), patience) is None:
        words = "The photo is still being read. Send the same request again in a moment: it is read only once."
        raise StillWorking("still_working", words, retryable=True, retry_after=5)
    if job.status != Status.SUCCEEDED:
        raise Refused(job.error_code or "embedding_failed", "This photo could not be read.", status=422)
    return job


def _photo(data: bytes, asset: Asset) -> Image.Image:
    """As it is stored: upright, so that points and pixels agree."""
    photo = pictures.opened(data, field="input_image")
    assert photo.size == (asset.width, asset.height)
    return photo


@door("POST", changes=True)
def dilate_mask(actor: Actor, given: dict[str, Any]) -> Any:
    """A mask grown by a disc."""
    data = pictures.decoded(given.get("input_image"), field="input_image")
    photo = pictures.opened(data, field="input_image", most=pictures.MOST_WORKED_ON)
    mask = pictures.mask_of(pictures.decoded(given.get("mask"), field="mask"))
    if mask.size != photo.size:
        raise _invalid("mask", f"must be of the picture's size, {photo.width}x{photo.height}")
    amount = as_whole(10 if given.get("dilate_amount") is None else given["dilate_amount"])
    if amount is None or not 0 <= amount <= dilating.MOST:
        raise _invalid("dilate_amount", f"must be a whole number from 0 to {dilating.MOST}")
    with ROOM:
        grown = dilating.dilated(np.asarray(mask) >= 128, amount)
        return {
            "blended_image": _text(dilating.blended(photo, grown)),
            "mask": _text(dilating.bilevel(grown)),
            "masked_image": _text(dilating.masked(photo, grown)),
        }


@door("POST", changes=True)
def upload(actor: Actor, given: dict[str, Any]) -> Any:
    """A photo into the shop's catalog, as a draft; where its embedding is, once it is there."""
    data = pictures.decoded(given.get("input_image") or given.get("image"), field="input_image")
    name = given.get("name")
    file_name = name if isinstance(name, str) and name.strip() else "upload.png"
    with waiting.place(actor) as patience:
        if patience is None:
            raise waiting.full()
        photo, _new = photos.add_garment_with_photo(merchant=actor.merchant, file=data, file_name=file_name[:200])
        found = _ready(photo.asset, patience)
    decoder = segmenters.decoder_of(found.encoder)
    return {
        "msg": "Success!",
        "photo": str(photo.pk),
        "embedding": reverse("sam:embedding", args=[photo.pk]),
        "encoder": found.encoder,
        "decoder": decoder.told if decoder else None,
        "shape": [1, 256, 64, 64],
        "dtype": "float16",
        "width": photo.asset.width,
        "height": photo.asset.height,
    }


@door("GET")
def embedding(actor: Actor, given: Any, photo_id: str) -> Any:
    """A photo's embedding as ``.npy``.

    Raises:
        Conflict: ``embedding_not_ready``, retryable; ``photo_rejected``.
    """
    photo = access_photo(actor, photo_id, write=False)
    masks.refuse_rejected(photo.asset)
    found = decoding.ready_embedding(photo.asset)
    try:
        _packed, data = embeddings.read(found.key, found.sha256)
    except (FileNotFoundError, InputError) as error:
        raise decoding.not_ready() from error
    return HttpResponse(data, content_type="application/octet-stream")


@door("POST", changes=True)
def dino_predict(actor: Actor, given: dict[str, Any]) -> Any:
    """Boxes for words: the weights are not here."""
    raise Refused("dino_unavailable", DINO, field="dino_model_name", status=422)


@door("POST", changes=True)
def semantic(actor: Actor, given: dict[str, Any]) -> Any:
    """What every pixel is: the weights are not here."""
    raise Refused("semantic_unavailable", SEMANTIC, status=422)


def _text(image: Image.Image) -> str:
    return pictures.text_of(pictures.png(image))


def _invalid(field: str, why: str) -> Refused:
    return Refused("field_invalid", f"{field} {why}.", field=field, status=422)
