"""allauth's hooks: what lies in the database of a second factor is encrypted."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter

from imodel_site.lib.sealing import seal, unseal

PURPOSE = "imodel.accounts.second-factor"


class AccountAdapter(DefaultAccountAdapter):
    """As allauth has it; here is where to change that."""


class MFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and the seed of recovery codes, encrypted under SECRET_KEY: a copied database opens no account."""

    def encrypt(self, text: str) -> str:
        """For storing."""
        return seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """What was stored, also under an older SECRET_KEY while it is among the fallbacks."""
        return unseal(encrypted_text, purpose=PURPOSE)
