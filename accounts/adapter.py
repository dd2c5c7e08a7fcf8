"""allauth's hooks: who signed in a moment ago has proved it, and a second factor lies encrypted in the database."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter

from imodel_site.lib.sealing import seal, unseal

PURPOSE = "imodel.accounts.second-factor"


class AccountAdapter(DefaultAccountAdapter):
    """As allauth has it, but for when it asks for the password again."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within five minutes of signing in: allauth itself counts only a password that was given once more."""
        return super().is_reauthentication_required(app=app, **kwargs) and not self._signed_in_lately()

    def _signed_in_lately(self) -> bool:
        records = get_authentication_records(self.request, self.request.user)
        return bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT


class MFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and the seed of recovery codes, encrypted under SECRET_KEY: a copied database opens no account."""

    def encrypt(self, text: str) -> str:
        """For storing."""
        return seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """What was stored, also under an older SECRET_KEY while it is among the fallbacks."""
        return unseal(encrypted_text, purpose=PURPOSE)
