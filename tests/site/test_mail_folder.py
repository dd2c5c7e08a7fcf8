"""Without a mail server each mail is a file, and `manage.py up` reads out what the newcomer needs of it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection

from imodel_site import mail


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "imodel_site.mail.MailFolder", str(tmp_path / "mail")
    return tmp_path / "mail"


def send(body: str) -> None:
    get_connection("imodel_site.mail.MailFolder").send_messages(
        [EmailMessage("Confirm your address", body, "a@example.com", ["new@example.com"])]
    )


def test_a_code_is_read_out(folder: Path) -> None:
    send("Hello,\n\nyour code is below.\n\nK7XQ-2M9P\n\nIt lasts 15 minutes.\n")
    (letter,) = mail.letters(folder)
    assert mail.gist(letter) == "Mail to new@example.com: Confirm your address -- the code is K7XQ-2M9P"
    assert stat.S_IMODE(letter.stat().st_mode) == 0o600


def test_a_link_is_read_out_where_there_is_no_code(folder: Path) -> None:
    send("Join the shop:\n\nhttp://localhost:8000/join/abc\n")
    assert mail.gist(mail.letters(folder)[0]).endswith("-- http://localhost:8000/join/abc")


def test_mails_are_found_in_the_order_they_were_sent_and_unfinished_ones_not_at_all(folder: Path) -> None:
    for number in range(5):
        send(f"Number {number}")
    (folder / "0.part").touch()
    assert [letter.read_text().rstrip()[-1] for letter in mail.letters(folder)] == list("01234")
