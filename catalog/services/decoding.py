"""Masks for clicks, worked out here: the last resort of a browser that can not do it itself.

Bounded twice: so many calls a minute for a merchant, and one at a time in a process. onnxruntime is loaded with the
first call, torch never (docs/decisions/0012).
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from accounts.throttling import add_one
from catalog.models import Asset, Embedding
from catalog.services import embeddings, segmenters
from catalog.services.segmenters import DecoderFile
from imodel_site.lib.errors import Conflict, Refused, TooMuch, from_studio
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.wide_stack import on_wide_stack
from studio.errors import InputError, WeightsError
from studio.segmentation.embedding_files import decode_embedding
from studio.segmentation.onnx_decode import MOST_POINTS, PLANE, Answer, OnnxDecoder, Prompt

log = logging.getLogger("imodel.catalog")
MOST_BYTES = 400_000  # of a request: a plane of float16 in base64 takes 175,000
A_MINUTE = 120  # calls of one merchant
WINDOW = 60
PATIENCE = 5.0  # seconds that a call waits for its turn
KEPT = 4  # embeddings in memory, 4 MB each: somebody clicks on one photo many times
_turn = threading.Lock()


def refuse_too_many(merchant_id: UUID) -> None:
    """Count this call; TooMuch ``too_many_requests`` once the merchant's minute is used up."""
    now = int(time.time())
    if add_one(f"decodes:{merchant_id}:{now // WINDOW}") > A_MINUTE:
        words = _("Too many clicks in a minute. Wait a moment.")
        raise TooMuch("too_many_requests", words, retryable=True, retry_after=WINDOW - now % WINDOW)


def ready_embedding(asset: Asset) -> Embedding:
    """The photo's embedding by the encoder that counts.

    Raises:
        Conflict: ``embedding_not_ready``, retryable.
    """
    found = embeddings.want(asset, soon=True)
    if found is None or found.status != Status.SUCCEEDED:
        raise not_ready()
    return found


def read_prompt(body: bytes) -> Prompt:
    """What a request asks for.

    Raises:
        TooMuch: ``body_too_large`` (413).
        Refused: ``prompt_invalid``, ``points_invalid``, ``labels_invalid``, ``boxes_invalid``, ``mask_input_invalid``.
    """
    if len(body) > MOST_BYTES:
        raise TooMuch("body_too_large", _("This is more than a few clicks. Load the page again."), status=413)
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid("prompt_invalid", "") from error
    if not isinstance(given, dict) or set(given) - {"points", "labels", "box", "mask_input"}:
        raise _invalid("prompt_invalid", "")
    return Prompt(_points(given), _labels(given), _box(given), _plane(given))


def _points(given: Mapping[str, Any]) -> list[tuple[float, float]]:
    rows = given.get("points") or []
    if not isinstance(rows, list) or len(rows) > MOST_POINTS or not all(_are_numbers(row, 2) for row in rows):
        raise _invalid("points_invalid", "points")
    return [(float(x), float(y)) for x, y in rows]


def _labels(given: Mapping[str, Any]) -> list[int]:
    labels = given.get("labels") or []
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise _invalid("labels_invalid", "labels")
    return labels


def _box(given: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    box = given.get("box")
    if box is None:
        return None
    if not _are_numbers(box, 4):
        raise _invalid("boxes_invalid", "box")
    x0, y0, x1, y1 = map(float, box)
    return x0, y0, x1, y1


def _plane(given: Mapping[str, Any]) -> Any:
    text = given.get("mask_input")
    if text is None:
        return None
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != 2 * PLANE[0] * PLANE[1]:
        raise _invalid("mask_input_invalid", "mask_input")
    return np.frombuffer(data, "<f2").reshape(PLANE)


def _are_numbers(value: Any, count: int) -> bool:
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) and _is_finite(one) for one in value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False


def _invalid(code: str, field: str) -> Refused:
    return Refused(code, _("The editor sent what is no click. Load the page again."), field=field)


def decode(embedding: Embedding, prompt: Prompt, *, size: tuple[int, int]) -> dict[str, Any]:
    """Four masks for a prompt, as JSON has them; as :func:`answer`."""
    return _as_json(answer(embedding, prompt, size=size))


def answer(embedding: Embedding, prompt: Prompt, *, size: tuple[int, int]) -> Answer:
    """Four masks for a prompt.

    Args:
        embedding: one that is ready.
        size: (width, height) of the photo.

    Raises:
        Refused: the codes of ``OnnxDecoder.answer``; ``decoder_busy`` (503), retryable.
        Refused: ``decoder_not_ready`` (503), retryable.
        StorageError: the decoder or the embedding can not be read.
    """
    decoder = segmenters.decoder_of(embedding.encoder)
    if decoder is None:
        raise not_ready()
    with _my_turn():
        try:
            loaded, values = _loaded(decoder), _values(embedding.key, embedding.sha256)
            return on_wide_stack(lambda: loaded.answer(values, prompt, size=size))
        except FileNotFoundError as error:
            embeddings.make_anew(embedding)
            raise not_ready() from error
        except InputError as error:
            if error.code == "embedding_invalid":
                embeddings.make_anew(embedding)
                raise not_ready() from error
            raise from_studio(error) from error


def not_ready() -> Conflict:
    """The photo is still being embedded."""
    words = _("This photo is still being read. Try again in a moment.")
    return Conflict("embedding_not_ready", words, retryable=True)


@contextmanager
def _my_turn() -> Iterator[None]:
    if not _turn.acquire(timeout=PATIENCE):
        words = _("Many people are clicking just now. Try again in a moment.")
        raise Refused("decoder_busy", words, retryable=True, status=503, retry_after=5)
    try:
        yield
    finally:
        _turn.release()


@lru_cache(maxsize=2)
def _loaded(decoder: DecoderFile) -> OnnxDecoder:
    data = read_decoder(decoder)
    return on_wide_stack(lambda: OnnxDecoder(data))  # constants of its graph are worked out while it is loaded


def read_decoder(decoder: DecoderFile) -> bytes:
    """A decoder's bytes.

    Raises:
        Refused: ``decoder_not_ready`` (503), retryable: it is missing or damaged. One that a worker handed over is
            forgotten, and whoever opens a photo next has it handed over again.
        StorageError: ``storage_unavailable``, retryable.
    """
    try:
        return decoder.read()
    except WeightsError as error:
        log.exception("the decoder of %s can not be read", decoder.encoder)
        segmenters.forget_decoder(decoder)
        words = _("Clicks can not be answered at the moment. Brush and eraser work; try again later.")
        raise Refused("decoder_not_ready", words, retryable=True, status=503, retry_after=60) from error


@lru_cache(maxsize=KEPT)
def _values(key: str, sha256: str) -> Any:
    """The key holds the merchant, and nobody gets here with another merchant's."""
    return decode_embedding(embeddings.read(key, sha256)[1])


def _as_json(answer: Answer) -> dict[str, Any]:
    """Logits beyond float16 say no more than its largest number does."""
    most = float(np.finfo(np.float16).max)
    planes = np.clip(answer.low_res, -most, most).astype("<f2")
    return {
        "low_res": [base64.b64encode(plane.tobytes()).decode() for plane in planes],
        "iou": [round(float(score), 6) for score in answer.scores],
    }
