"""allauth's hooks: what lies in the database of a second factor is encrypted."""

from __future__ import annotations

import base64
import hashlib
import hmac

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


class AccountAdapter(DefaultAccountAdapter):
    """As allauth has it; here is where to change that."""


class MFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and the seed of recovery codes, encrypted under SECRET_KEY: a copied database opens no account."""

    def encrypt(self, text: str) -> str:
        """For storing."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was stored, also under an older SECRET_KEY while it is among the fallbacks."""
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> Fernet:
    derived = hmac.digest(secret.encode(), b"imodel.accounts.second-factor", hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(derived))
