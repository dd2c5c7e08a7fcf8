"""What people fill in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.core import context
from django import forms
from django.db import transaction
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import webhook_log
from accounts.models import ApiKey, Merchant, Role, User, WebhookEndpoint
from accounts.services import invitations, merchants
from accounts.services.webhooks import TYPES

INVITED = "invitation"  # in the session: the id of the invitation that somebody is about to accept


class SignupForm(AllauthSignupForm):
    """E-mail address, password and the shop's name; whoever was invited needs no shop of their own."""

    shop = forms.CharField(label=_("Name of your shop"), max_length=merchants.NAME_LENGTH, required=True)
    field_order = ("shop", "email", "password1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shop"].widget.attrs["autocomplete"] = "organization"
        invited = context.request.session.get(INVITED)
        if invited:
            del self.fields["shop"]
            self.fields["email"].initial = invitations.address_of(invited)

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


class ThresholdForm(forms.Form):
    """Which pictures are paid for."""

    pays_from = forms.ChoiceField(label=_("You pay for"), choices=Merchant.Threshold.choices)


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


class WebhookForm(forms.Form):
    """Where to, and what of."""

    url = forms.CharField(
        label=pgettext_lazy("of a server", "Address"),
        max_length=2000,
        help_text=_("Where your server listens, such as https://shop.example/imodel. It must be public and use https."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    description = forms.CharField(label=_("What it is for"), max_length=120, required=False)
    events = forms.MultipleChoiceField(
        label=_("Tell it when"),
        choices=[(name, webhook_log.EVENTS[name]) for name in TYPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose none to be told of everything, also of kinds that are added later."),
    )

    @classmethod
    def of(cls, row: WebhookEndpoint) -> WebhookForm:
        """As the endpoint is."""
        return cls(initial={"url": row.url, "description": row.description, "events": row.events})

    @property
    def given(self) -> dict[str, Any]:
        """For the services."""
        return {name: self.cleaned_data[name] for name in ("url", "description", "events")}


class ReplayForm(forms.Form):
    """How far back."""

    DEFAULT = 24

    hours = forms.TypedChoiceField(
        label=_("How far back"),
        choices=[
            (1, _("the last hour")),
            (24, _("the last day")),
            (72, _("the last 3 days")),
            (696, _("the last 29 days")),
        ],
        coerce=int,
        initial=DEFAULT,
    )
