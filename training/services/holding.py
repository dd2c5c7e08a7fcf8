"""Versions that jobs need: held while one is accepted, and not deleted while one waits or runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from django.utils.translation import gettext as _

from imodel_site.lib.errors import Conflict
from imodel_site.lib.jobs.model import ENDED
from training.models import AdapterVersion, Training

# Rooms above this one use adapters too (a shoot does): each says so here.
_users: list[Callable[[Collection[str]], bool]] = []


def register_user(needs: Callable[[Collection[str]], bool]) -> None:
    """``needs(storage keys)`` is asked, in the merchant's scope, before versions with these files are deleted.

    It answers for jobs that have not ended. Whoever accepts such a job, or queues it again, calls :func:`hold` in the
    same transaction.
    """
    _users.append(needs)


def hold(keys: Collection[str]) -> None:
    """The versions that have these files stay until the transaction ends.

    Raises:
        Conflict: ``adapter_gone``: one of them was deleted.
    """
    if not keys:
        return
    rows = AdapterVersion.objects.select_for_update().filter(key__in=keys).order_by("pk")
    if set(keys) - set(rows.values_list("key", flat=True)):
        raise gone()


def gone() -> Conflict:
    """What is said of a version that is not there any more."""
    return Conflict("adapter_gone", _("The adapter that this is made with was deleted. Choose another one."))


def refuse_needed(versions: Sequence[AdapterVersion]) -> None:
    """Look whether a job that has not ended needs one of them; the caller has locked their rows.

    Raises:
        Conflict: ``adapter_busy``, retryable.
    """
    if _begins_with(versions) or any(needs([one.key for one in versions]) for needs in _users):
        words = _("A shoot or a training that has not ended needs it. Wait for that, or cancel it, then delete.")
        raise Conflict("adapter_busy", words, retryable=True)


def _begins_with(versions: Sequence[AdapterVersion]) -> bool:
    rows = Training.objects.filter(of_version_id__in=[one.pk for one in versions])
    return bool(rows.exclude(status__in=ENDED).exists())
