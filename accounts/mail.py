"""The mails of the room: a subject and a text under ``templates/accounts/mail/``, sent once the rows are there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User


def send(template: str, *, to: str, language: str = "", **context: Any) -> None:
    """Send after the commit. A mail server that is down is logged, and takes nothing back that was committed."""
    with translation.override(language or settings.LANGUAGE_CODE):
        subject = " ".join(render_to_string(f"accounts/mail/{template}_subject.txt", context).split())
        body = render_to_string(f"accounts/mail/{template}.txt", context)
    transaction.on_commit(partial(send_mail, subject, body, None, [to]), robust=True)


def send_all(template: str, *, people: Iterable[User], **context: Any) -> None:
    """To each person, in the language that they chose."""
    for person in people:
        send(template, to=person.email, language=person.language, **context)
