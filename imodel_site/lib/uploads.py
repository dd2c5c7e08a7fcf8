"""How the bytes of an upload come in: to a temporary file, within limits that hold before any view runs."""

from __future__ import annotations

import errno
import os
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from imodel_site.lib.errors import Refused, TooMuch

MAX_FILE_BYTES = 25 * 2**20
MAX_FILES = 60
SLACK = 2**20  # boundaries, headers, the other fields
STRANGER_BYTES = 2**20
# Addresses where one file may be larger, such as weights: by a path's end, the most bytes.
_larger: dict[str, int] = {}


def allow_larger(path_end: str, most: int) -> None:
    """Files sent to addresses that end like this may have so many bytes, each body one of them."""
    _larger[path_end] = most


def larger() -> dict[str, int]:
    """The most bytes of a file by the end of its address, where more than usual may come."""
    return dict(_larger)


def most_bytes(path: str) -> int:
    """Of one file, at this address."""
    return next((most for end, most in _larger.items() if path.endswith(end)), MAX_FILE_BYTES)


class BoundedFile(TemporaryUploadedFile):
    """An upload; ``problem`` is set when its bytes were not kept."""

    problem = ""


class BoundedUploadHandler(FileUploadHandler):
    """Streams each file to disk and stops keeping it at 25 MB; the others of the form are taken all the same.

    The body of a POST is parsed before any view can say who is asking (the CSRF check reads it), so a stranger's may
    hold little.
    """

    file: BoundedFile
    most = MAX_FILE_BYTES

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        """Refuse by the stated length, before reading.

        Raises:
            RequestDataTooBig: Django answers 400.
        """
        self.most = most_bytes(getattr(self.request, "path", ""))
        files = MAX_FILES if self.most == MAX_FILE_BYTES else 1
        most = files * self.most + SLACK if self._known() else STRANGER_BYTES
        if content_length > most:
            raise RequestDataTooBig(f"The upload is {content_length} bytes; at most {most} are taken.")

    def _known(self) -> bool:
        request: Any = self.request
        user = getattr(request, "user", None)
        return getattr(request, "merchant", None) is not None or bool(user is not None and user.is_authenticated)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """The temporary file of the next part."""
        super().new_file(*args, **kwargs)
        self.file = BoundedFile(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep the piece, or from here on only read past it: an aborted connection could not say why."""
        if self.file.problem:
            return
        if start + len(raw_data) > self.most:
            self._give_up("photo_file_too_large")
            return
        try:
            self.file.write(raw_data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._give_up("disk_full")

    def _give_up(self, problem: str) -> None:
        self.file.problem = problem
        os.ftruncate(self.file.fileno(), 0)  # not file.truncate(): that would first flush what does not fit

    def file_complete(self, file_size: int) -> BoundedFile:
        """The file with its true size, kept or not."""
        try:
            self.file.seek(0)  # flushes
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._give_up("disk_full")
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        """The connection ended halfway."""
        if hasattr(self, "file"):
            self.file.close()


def check_arrived(file: Any) -> None:
    """Whether an uploaded file's bytes were kept.

    Raises:
        TooMuch: ``photo_file_too_large`` (413).
        Refused: ``disk_full`` (507), retryable.
    """
    from django.utils.translation import gettext as _

    problem = getattr(file, "problem", "")
    if problem == "disk_full":
        raise Refused(problem, _("There is no room for it just now. Try again later."), retryable=True, status=507)
    if problem or (file.size or 0) > MAX_FILE_BYTES:
        words = _("This file is larger than 25 MB. Make it smaller, then add it again.")
        raise TooMuch("photo_file_too_large", words, status=413)
