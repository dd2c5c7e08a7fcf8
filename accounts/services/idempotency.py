"""One key, one call: the answer of a changing call is kept under its Idempotency-Key (docs/api.md).

    begin()  a row without an answer, committed at once, so that a twin meets it    -> CallInFlight for the twin
    keep()   the answer, in the transaction of whatever the call changed            -> the same answer from now on
    release()   nothing was changed: the key is free again

A call that dies leaves its row behind; when its lease is over, the next call with the key takes the row away. The id of
the row is the fence: a call that was given up for dead finds no row to keep its answer in, and is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import ExpressionWrapper
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import IdempotentAnswer
from accounts.scoping import unscoped
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.sealing import Unreadable, seal, unseal

LEASE = timedelta(seconds=60)  # longer than any call: fetching a photo may take 20 s, decoding it as long again
KEPT = timedelta(hours=25)  # the documentation promises a day
RETRY_AFTER = 1
PURPOSE = "imodel.accounts.idempotent-answer"
_TRIES = 3


@dataclass(frozen=True)
class Answer:
    """What the first call answered; ``text`` is the JSON body, empty for none."""

    status: int
    text: str
    location: str


@dataclass(frozen=True)
class Begun:
    """A key that this call holds, or the answer that an earlier one left."""

    row: UUID | None
    answer: Answer | None = None


def begin(*, key: str, request_hash: str) -> Begun:
    """Take the key for this call, or find what an earlier call answered.

    Raises:
        Refused: ``idempotency_key_reused`` (422): another request came under the same key.
        Conflict: ``request_in_flight``, retryable: a twin of this call is under way.
    """
    for _try in range(_TRIES):
        try:
            with transaction.atomic():
                return Begun(_taken(key, request_hash))
        except IntegrityError:  # the constraint decides who comes first, not our reading
            found = IdempotentAnswer.objects.filter(key=key).first()
        if found is not None and (found.status is not None or not _removed_as_dead(found)):
            return Begun(None, _answer_of(found, request_hash))
    raise _in_flight()


def _taken(key: str, request_hash: str) -> UUID:
    row = IdempotentAnswer(key=key, request_hash=request_hash)
    row.lease_until = ExpressionWrapper(Now() + LEASE, output_field=IdempotentAnswer._meta.get_field("lease_until"))
    row.save(force_insert=True)
    return row.pk


def _removed_as_dead(found: IdempotentAnswer) -> bool:
    """Whether its call died; the database's clock says so, and only one caller gets to remove it."""
    dead = IdempotentAnswer.objects.filter(pk=found.pk, status=None, lease_until__lt=Now())
    return bool(dead.delete()[0])


def _answer_of(found: IdempotentAnswer, request_hash: str) -> Answer:
    if found.request_hash != request_hash:
        raise Refused(
            "idempotency_key_reused",
            _("This idempotency key was used for another request. Send a new key with a new request."),
            status=422,
        )
    if found.status is None:
        raise _in_flight()
    return Answer(found.status, _opened(found), found.location)


def _opened(found: IdempotentAnswer) -> str:
    """The body; one that no known SECRET_KEY opens is gone, but its call was made and is not to be made again."""
    try:
        return unseal(found.body, purpose=PURPOSE) if found.body else ""
    except Unreadable:
        words = _("This request was carried out before, but its answer can not be shown again. Look up what it made.")
        raise Conflict("answer_gone", words) from None


def _in_flight() -> Conflict:
    words = _("The same request is being worked on. Ask again in a moment.")
    return Conflict("request_in_flight", words, retryable=True, retry_after=RETRY_AFTER)


def keep(*, begun: Begun, answer: Answer) -> None:
    """Store the answer, in the caller's transaction. The body is sealed: it may hold a secret that is shown once.

    Raises:
        Conflict: ``request_in_flight``: this call took longer than its lease, and another one has the key.
    """
    body = seal(answer.text, purpose=PURPOSE) if answer.text else None
    mine = IdempotentAnswer.objects.filter(pk=begun.row, status=None)
    if not mine.update(status=answer.status, body=body, location=answer.location, lease_until=None):
        raise _in_flight()


def release(*, begun: Begun) -> None:
    """Free the key: the call was refused or failed, and changed nothing."""
    IdempotentAnswer.objects.filter(pk=begun.row, status=None).delete()


def purge_answers() -> int:
    """Remove answers that are older than promised; how many went."""
    with unscoped("old answers of every merchant"):
        return int(IdempotentAnswer.objects.filter(created_at__lt=Now() - KEPT).delete()[0])
