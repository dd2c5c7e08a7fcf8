"""Adapter files looked at in storage without a tensor library: the header is read, and nothing behind it."""

from __future__ import annotations

from imodel_site.lib import storage
from imodel_site.lib.signing import File
from studio.errors import InputError
from studio.lora import headers

SAFETENSORS = "application/octet-stream"


def reach_of(key: str) -> headers.Reach:
    """What a stored adapter changes.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: ``adapter_layout_unknown``.
    """
    return headers.reach_of(_header(key))


def in_kohyas_layout(key: str, name: str) -> File | None:
    """A stored adapter as kohya's scripts name it: another beginning, the rest as it lies there; None: no such file."""
    try:
        found = headers.in_kohyas_layout(_header(key))
    except (FileNotFoundError, InputError):
        return None
    return File(key, SAFETENSORS, name, found.head, found.start)


def _header(key: str) -> headers.Header:
    """Read to its end and no further: the file itself may be half a gigabyte."""
    length = headers.header_bytes(_beginning(key, headers.LENGTH))
    return headers.read_header(_beginning(key, length))


def _beginning(key: str, length: int) -> bytes:
    return b"".join(storage.private().stream(key, 0, length))
