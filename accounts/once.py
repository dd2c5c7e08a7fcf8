"""What ``Idempotency-Key`` does to a changing call of the API (docs/api.md); ``MerchantViewSet`` wraps each handler."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.services import idempotency
from accounts.services.idempotency import Answer, Begun
from imodel_site.lib.errors import Refused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,128}")
APART = "apart_from_its_answer"
KEPT = "kept_of_it"

Handler = Callable[..., Response]


def takes_long(handler: Handler) -> Handler:
    """For handlers that wait for the network or decode pictures: their answer is kept after, not with, their changes.

    A transaction that waits would stop every other writer on SQLite. Such a call must be harmless when repeated: a
    process killed between the two statements leaves a key under which the call is made again.
    """
    setattr(handler, APART, True)
    return handler


def kept_as(response: Response, data: Any) -> Response:
    """For answers that show a secret: ``data`` is what is kept and told again, the secret left out."""
    setattr(response, KEPT, data)
    return response


def key_of(request: Any) -> str | None:
    """The caller's key; None without one, and for a dry run, which has nothing to keep.

    Raises:
        Refused: ``idempotency_key_invalid``.
    """
    key = request.headers.get(HEADER)
    if key is None or is_dry_run(request):
        return None
    if not KEY.fullmatch(key):
        words = _("An idempotency key has 1 to 128 visible ASCII characters, no spaces.")
        raise Refused("idempotency_key_invalid", words, field=HEADER)
    return str(key)


def is_dry_run(request: Any) -> bool:
    """Whether only price and plan are asked for."""
    return isinstance(request.data, Mapping) and request.data.get("dry_run") is True


def once(handler: Handler, key: str, request: Any, *args: Any, **kwargs: Any) -> Response:
    """Call ``handler``, or give the answer that it gave under this key before. Only 2xx answers are kept."""
    begun = idempotency.begin(key=key, request_hash=hash_of(request))
    if begun.answer is not None:
        return _replayed(begun.answer)
    try:
        return (
            _kept_apart(begun, handler, request, *args, **kwargs)
            if getattr(handler, APART, False)
            else (_kept_with(begun, handler, request, *args, **kwargs))
        )
    except BaseException:
        idempotency.release(begun=begun)
        raise


def _kept_with(begun: Begun, handler: Handler, request: Any, *args: Any, **kwargs: Any) -> Response:
    """The changes and the answer in one transaction: both are there, or neither."""
    with transaction.atomic():
        response = handler(request, *args, **kwargs)
        idempotency.keep(begun=begun, answer=_answer(response))
    return response


def _kept_apart(begun: Begun, handler: Handler, request: Any, *args: Any, **kwargs: Any) -> Response:
    response = handler(request, *args, **kwargs)
    idempotency.keep(begun=begun, answer=_answer(response))
    return response


def _answer(response: Response) -> Answer:
    """Handlers refuse by raising, so whatever they return is a 2xx."""
    data = getattr(response, KEPT, response.data)
    text = "" if data is None else JSONRenderer().render(data).decode()
    return Answer(response.status_code, text, response.headers.get("Location", ""))


def _replayed(answer: Answer) -> Response:
    headers = {REPLAYED: "true"} | ({"Location": answer.location} if answer.location else {})
    return Response(json.loads(answer.text) if answer.text else None, status=answer.status, headers=headers)


def hash_of(request: Any) -> str:
    """Of method, path and body; of a form's files their contents, so that a boundary drawn anew changes nothing."""
    said = [request.method, request.get_full_path(), _plain(request.data)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _plain(data: Any) -> Any:
    if not hasattr(data, "lists"):  # JSON
        return data
    return [[name, [_content(value) for value in values]] for name, values in sorted(_lists(data))]


def _lists(data: Any) -> Iterable[tuple[str, list[Any]]]:
    return data.lists()  # type: ignore[no-any-return]  # a QueryDict


def _content(value: Any) -> str:
    """Text as it is; a file by its bytes, its pointer put back."""
    if not isinstance(value, UploadedFile):
        return str(value)
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return f"file:{digest.hexdigest()}:{value.name}"
