"""Texts of allauth's and Django's that our Chinese says anew.

Theirs say "Email" and "passkey" in the middle of a sentence, and 你 for 您. Our catalogue is read after theirs;
here the texts are only named, so that they are collected.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """Names a text with a plural; Django has none of these."""
    return one, many


SAID_ANEW = (
    _("The password reset token was invalid."),
    _("You cannot activate two-factor authentication until you have verified your email address."),
    _("Email Addresses"),
    _("The following email addresses are associated with your account:"),
    _("Primary"),
    _("Re-send Verification"),
    _("Add Email Address"),
    _("Add Email"),
    _("Do you really want to remove the selected email address?"),
    _("Hello from %(site_name)s!"),
    _("Email Changed"),
    _("Your email has been confirmed."),
    _("Email Confirmation"),
    _("Please Confirm Your Email Address"),
    _("Email address %(deleted_email)s has been removed from your account."),
    _("Email Removed"),
    _("Email Address"),
    _("Email"),
    _("Current email"),
    _("Change Email"),
    _("Confirm Email Address"),
    _("You cannot remove your primary email address (%(email)s)."),
    _("You have confirmed %(email)s."),
    _("Removed email address %(email)s."),
    _("Primary email address set."),
    _("Bad Token"),
    _("Verify Your Email Address"),
    _("Passkey"),
    _("This key does not indicate whether it is a passkey."),
    _("Two-Factor Authentication"),
    _("Your password can’t be too similar to your other personal information."),
    _("Your password can’t be a commonly used password."),
    _("Your password can’t be entirely numeric."),
    ngettext_noop(
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
    ),
)
