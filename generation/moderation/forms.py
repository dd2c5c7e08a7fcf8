"""What the staff's pages take."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.models import ModerationCase
from generation.moderation.queue import Filters
from generation.moderation.reasons import OPENINGS, REJECTIONS


def _any(choices: Any, words: Any) -> list[tuple[str, Any]]:
    return [("", words), *choices]


class QueueForm(forms.Form):
    """The filters in an address; what makes no sense there asks for nothing."""

    state = forms.ChoiceField(
        choices=[("open", _("Waiting")), ("decided", _("Decided")), ("all", _("All"))], required=False
    )
    subject = forms.ChoiceField(choices=_any(ModerationCase.Subject.choices, _("Uploads and pictures")), required=False)
    reason = forms.ChoiceField(choices=_any([*OPENINGS.items(), *REJECTIONS.items()], _("Any reason")), required=False)
    opened_by = forms.ChoiceField(choices=_any(ModerationCase.OpenedBy.choices, _("Opened by anybody")), required=False)
    merchant = forms.UUIDField(required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    after = forms.UUIDField(required=False)

    def filters(self) -> Filters:
        """What is asked for."""
        self.is_valid()
        given = {name: self.cleaned_data.get(name) for name in self.fields if name != "after"}
        return Filters(**{name: value for name, value in given.items() if value})
