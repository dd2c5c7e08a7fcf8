"""What is refused at the door is a line in the log; errors with tracebacks are kept for what is wrong with us."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.module_loading import import_string

from imodel_site.lib import logs


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the handler of the settings would write."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonLines())
    for name in settings.LOGGING["handlers"]["stderr"]["filters"]:
        handler.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    logging.getLogger("django").addHandler(handler)
    yield written
    logging.getLogger("django").removeHandler(handler)


def _refused(lines: StringIO) -> dict[str, str]:
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    (one,) = [line for line in found if line["logger"].startswith("django.security.")]
    return one


def test_a_host_that_is_not_served_is_a_warning_of_one_line(lines: StringIO) -> None:
    assert Client().get("/", headers={"Host": "evil.example"}).status_code == 400
    line = _refused(lines)
    assert line["level"] == "WARNING" and "evil.example" in line["message"] and "exc_info" not in line
    assert "Traceback" not in lines.getvalue()


@pytest.mark.django_db
def test_too_many_files_are_a_warning_of_one_line(lines: StringIO) -> None:
    files = {f"f{n}": SimpleUploadedFile(f"{n}.png", b"x") for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1)}
    assert Client().post("/account/login/", files).status_code == 400
    assert _refused(lines)["level"] == "WARNING" and "Traceback" not in lines.getvalue()


def test_an_error_of_ours_keeps_its_traceback(lines: StringIO) -> None:
    try:
        raise RuntimeError("ours")
    except RuntimeError:
        logging.getLogger("django.request").exception("it broke")
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines()]
    assert line["level"] == "ERROR" and "RuntimeError: ours" in line["exc_info"]
