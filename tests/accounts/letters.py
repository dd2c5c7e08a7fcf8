"""What stands in the mails that were sent."""

from __future__ import annotations

import re

from django.core import mail

CODE = re.compile(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", re.MULTILINE)


def last_to(address: str) -> mail.EmailMessage:
    """The newest mail to an address."""
    return next(letter for letter in reversed(mail.outbox) if letter.to == [address])


def code_for(address: str) -> str:
    """The code in it."""
    found = CODE.search(str(last_to(address).body))
    assert found, last_to(address).body
    return found.group(1)


def link_for(address: str) -> str:
    """The path of the link in it."""
    found = re.search(r"http://testserver(/\S+)", str(last_to(address).body))
    assert found, last_to(address).body
    return found.group(1)
