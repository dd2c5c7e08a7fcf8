"""What people fill in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.core import context
from django import forms
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Role, User
from accounts.services import merchants

INVITED = "invitation"  # in the session: the id of the invitation that somebody is about to accept


class SignupForm(AllauthSignupForm):
    """E-mail address, password and the shop's name; whoever was invited needs no shop of their own."""

    shop = forms.CharField(label=_("Name of your shop"), max_length=merchants.NAME_LENGTH, required=True)
    field_order = ("shop", "email", "password1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shop"].widget.attrs["autocomplete"] = "organization"
        if context.request.session.get(INVITED):
            del self.fields["shop"]

    @transaction.atomic
    def save(self, request: Any) -> User:
        """The person and their shop, or neither."""
        user: User = super().save(request)
        user.language = get_language() or ""  # the mails that follow speak as the page did
        user.save(update_fields=["language"])
        if "shop" in self.cleaned_data:
            merchants.open_merchant(owner=user, name=self.cleaned_data["shop"])
        return user


class ShopForm(forms.Form):
    """A shop's name."""

    name = forms.CharField(label=_("Name of the shop"), max_length=merchants.NAME_LENGTH)


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.EDITOR)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What it is for, such as “Shopify sync”."))
    store = forms.CharField(label=_("Store"), max_length=120, required=False, help_text=_("Which shop front uses it."))
    scope = forms.ChoiceField(label=_("May"), choices=ApiKey.Scope.choices, initial=ApiKey.Scope.READ)
    days = forms.TypedChoiceField(
        label=_("Works for"),
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year")), (0, _("until revoked"))],
        coerce=int,
        initial=365,
    )
    test = forms.BooleanField(label=_("For testing (the key begins with imk_test)"), required=False)

    @property
    def lifetime(self) -> timedelta | None:
        """How long the key shall work."""
        days = self.cleaned_data["days"]
        return timedelta(days=days) if days else None


class RotateForm(forms.Form):
    """How long the old key goes on."""

    days = forms.TypedChoiceField(
        label=_("The old key goes on working for"),
        choices=[(0, _("not at all")), (1, _("a day")), (7, _("7 days")), (30, _("30 days"))],
        coerce=int,
        initial=7,
    )


class DeleteForm(forms.Form):
    """The shop's name, typed."""

    name = forms.CharField(label=_("Type the name of the shop"), max_length=merchants.NAME_LENGTH)
