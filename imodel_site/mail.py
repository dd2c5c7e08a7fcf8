"""Mail on one machine without a mail server: each message is a file that `manage.py up` reads out."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage as Parsed
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

CODE = re.compile(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", re.MULTILINE)
LINK = re.compile(r"https?://[^\s<>\"]+")


class MailFolder(BaseEmailBackend):
    """Writes ``<time>-<random>.eml`` into EMAIL_FILE_PATH, readable by the owner only, whole or not at all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.folder = Path(settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Django's entry."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            self._write(message.message().as_bytes())
        return len(email_messages)

    def _write(self, body: bytes) -> None:
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"  # names sort by time
        aside = self.folder / f"{name}.part"
        aside.touch(mode=0o600)
        aside.write_bytes(body)
        aside.rename(self.folder / f"{name}.eml")


def letters(folder: Path) -> list[Path]:
    """The messages of a folder, oldest first."""
    return sorted(folder.glob("*.eml"))


def gist(letter: Path) -> str:
    """One line about a message: to whom, what about, and the code or the link that it asks to use."""
    message = BytesParser(policy=policy.default).parsebytes(letter.read_bytes())
    assert isinstance(message, Parsed)
    body = message.get_body(("plain",))
    text = str(body.get_content()) if isinstance(body, Parsed) else ""
    return f"Mail to {message['to']}: {message['subject']}{_use(text)}"


def _use(text: str) -> str:
    code, link = CODE.search(text), LINK.search(text)
    if code:
        return f" -- the code is {code.group(1)}"
    return f" -- {link.group(0)}" if link else ""
