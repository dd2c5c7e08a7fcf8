"""Pictures that come from outside: taken by content, within limits, decoded in a child process, upright sRGB.

Nothing of the file but its pixels survives: no EXIF, no comments, no tail. Every refusal is an ``InputError`` whose
code starts with ``photo_`` (or ``mask_``) and never changes:

=====================  ==================================================================================
``not_found``          no such file
``unreadable``         it is there, but can not be read, or is no ordinary file
``empty``              no bytes at all
``file_too_large``     more than 25 MB
``format_unsupported`` not JPEG, PNG or WebP by its content
``heic_unsupported``   HEIC: to be converted first
``animated``           more than one frame (a phone's JPEG with a second, hidden picture is taken)
``too_small``          a side under 64 px
``too_large``          a side over 12,000 px or more than 40 megapixels, by the header, before decoding
``damaged``            cut off or broken
``too_costly``         decoding ran out of memory (1.5 GB), CPU (15 s) or time (20 s)
``wrong_size``         (mask only) not as large as the photo it belongs to
=====================  ==================================================================================
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import EngineError, InputError

MAX_FILE_BYTES = 25 * 1024 * 1024
WALL_SECONDS = 20
DECODER = Path(__file__).with_name("photo_decoder.py")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def open_photo(source: str | os.PathLike[str] | bytes, *, background: tuple[int, int, int] = WHITE) -> Image.Image:
    """A photo from outside as upright pixels.

    Args:
        source: a path, or the file's bytes.
        background: what shows through where it is transparent.

    Returns:
        A fresh RGB picture, 8 bits, sRGB, upright by EXIF; transparency is flattened onto ``background``, 16 bits are
        scaled to 8, CMYK and other colour spaces are converted through the embedded ICC profile. No metadata.

    Raises:
        InputError: a ``photo_...`` code of the module's table.
        EngineError: ``decoder_failed``, retryable: the child process could not do its work at all.
    """
    return _decode(_read(source, "photo"), "photo", background)


def open_mask(source: str | os.PathLike[str] | bytes, *, size: tuple[int, int]) -> NDArray[np.bool_]:
    """A garment mask from outside.

    Args:
        source: a path, or the file's bytes; the same formats and limits as a photo.
        size: (width, height) of the upright photo that the mask belongs to.

    Returns:
        (height, width) bool, True where the mask is lighter than mid grey (128 and up); transparent is False.

    Raises:
        InputError: a ``mask_...`` code of the module's table.
    """
    image = _decode(_read(source, "mask"), "mask", BLACK)
    if image.size != size:
        stated = f"The mask is {image.width} x {image.height} px, the photo {size[0]} x {size[1]} px"
        raise InputError("mask_wrong_size", f"{stated}; both must be the same size, upright.")
    return np.asarray(np.asarray(image.convert("L")) >= 128)


def _read(source: str | os.PathLike[str] | bytes, noun: str) -> bytes:
    data = source if isinstance(source, bytes) else _read_file(Path(source), noun)
    if not data:
        raise InputError(f"{noun}_empty", f"The {noun} has no content. Export or download it again.")
    if len(data) > MAX_FILE_BYTES:
        raise _too_many_bytes(len(data), noun)
    return data


def _read_file(path: Path, noun: str) -> bytes:
    try:
        # Not blocking: a named pipe would otherwise hold open() until somebody writes to it.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{noun}_unreadable", f"{path} is not a file.")
            if status.st_size > MAX_FILE_BYTES:
                raise _too_many_bytes(status.st_size, noun)
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"{noun}_not_found", f"There is no file {path}. Check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{noun}_unreadable", f"{path} can not be read ({error}).") from error


def _too_many_bytes(count: int, noun: str) -> InputError:
    limit = MAX_FILE_BYTES // 2**20
    return InputError(f"{noun}_file_too_large", f"The {noun} is {count / 2**20:.1f} MB; at most {limit} MB are taken.")


def _decode(data: bytes, noun: str, background: tuple[int, int, int]) -> Image.Image:
    command = [sys.executable, "-I", str(DECODER), ",".join(map(str, background))]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=WALL_SECONDS, check=False, env=_child_environment()
        )
    except subprocess.TimeoutExpired as error:
        raise _too_costly(noun) from error
    except OSError as error:
        raise EngineError("decoder_failed", f"The picture decoder did not start: {error}.", retryable=True) from error
    return _answered(done, noun)


def _child_environment() -> dict[str, str]:
    """Only what finding shared libraries may need: tokens and passwords in ours are no business of a codec's."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}


def _answered(done: subprocess.CompletedProcess[bytes], noun: str) -> Image.Image:
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_costly(noun)
    if done.returncode < 0:  # a codec crashed over these bytes
        raise InputError(f"{noun}_damaged", f"The {noun} is damaged. Export or download it again.")
    line, _, pixels = done.stdout.partition(b"\n")
    try:
        header = json.loads(line)
    except ValueError as error:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise EngineError("decoder_failed", f"The picture decoder failed: {reason}.", retryable=True) from error
    if "error" in header:
        raise InputError(f"{noun}_{header['error']}", header["message"])
    width, height = header["size"]
    return Image.frombytes("RGB", (width, height), pixels)


def _too_costly(noun: str) -> InputError:
    return InputError(f"{noun}_too_costly", f"Decoding this {noun} takes too long or too much memory. Save it smaller.")
