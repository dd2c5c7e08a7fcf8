"""What staff may open: cases and merchants of everybody, by id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access import access_row
from accounts.models import Merchant
from accounts.scoping import unscoped
from generation.models import ModerationCase
from generation.moderation.decisions import TABLES
from imodel_site.lib.errors import NotHere, Refused

WHY = "staff open a case"
MOST_AT_ONCE = 100


def access_case(identity: Any) -> ModerationCase:
    """A case of any merchant; NotHere when there is none."""
    with unscoped(WHY):
        found: ModerationCase = access_row(ModerationCase.objects.select_related("decided_by"), identity)
    return found


def access_cases(identities: Iterable[Any]) -> list[ModerationCase]:
    """Several; one that is not there refuses the whole call.

    Raises:
        NotHere: one of them is missing.
        Refused: ``nothing_chosen``, ``too_many_chosen``.
    """
    wanted = list(dict.fromkeys(identities))
    if not wanted:
        raise Refused("nothing_chosen", _("Choose at least one picture."))
    if len(wanted) > MOST_AT_ONCE:
        raise Refused("too_many_chosen", _("Choose at most %(most)d pictures at once.") % {"most": MOST_AT_ONCE})
    return [access_case(identity) for identity in wanted]


def access_subject(case: ModerationCase) -> Any:
    """The upload or the picture that a case is about; NotHere when it was deleted."""
    with unscoped(WHY):
        return access_row(TABLES[case.subject].objects.all(), case.subject_id)


def find_subject(identity: str) -> tuple[str, Any]:
    """An upload or a picture by its id alone, and which of the two it is."""
    for subject, table in TABLES.items():
        with unscoped("staff look a picture up by its id"):
            row = table.objects.filter(pk=_uuid(identity)).first()
        if row is not None:
            return subject, row
    raise NotHere(_("There is no upload and no picture with this id."))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError:
        raise NotHere(_("There is no upload and no picture with this id.")) from None


def access_merchant(identity: Any) -> Merchant:
    """Any merchant."""
    found: Merchant = access_row(Merchant.objects.select_related("plan"), identity)
    return found
