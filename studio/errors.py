"""What can go wrong in the studio, as few classes with stable codes.

Whoever reads ``message`` is the person who must act. ``InputError`` is the caller's mistake (another photo,
another option); ``WeightsError`` is the operator's (fetch, import, verify); ``EngineError`` is ours. ``code`` never
changes once released: programs match on it. ``retryable`` says whether the same call may succeed later.
"""

from __future__ import annotations


class StudioError(Exception):
    """Base of every error the studio raises on purpose.

    Args:
        code: stable, ``snake_case``, e.g. ``"photo_too_large"``.
        message: one or two sentences: what happened and what to do.
        retryable: True when the same call may succeed later without a change.
    """

    exit_status = 1

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class InputError(StudioError):
    """The photo, mask, pose or option given can not be used; nothing was written."""

    exit_status = 2


class WeightsError(StudioError):
    """Weights are missing, damaged or refused; the message names the command that helps."""

    exit_status = 3


class EngineError(StudioError):
    """The engine failed: ours, not the caller's."""

    exit_status = 4


class OutOfMemory(EngineError):
    """The device ran out of memory; what the job took was freed and the next job may run."""

    def __init__(self, message: str) -> None:
        super().__init__("out_of_memory", message, retryable=True)


class Cancelled(StudioError):
    """The caller asked to stop; nothing was written."""

    exit_status = 5

    def __init__(self, message: str = "Cancelled as asked.") -> None:
        super().__init__("cancelled", message)


class StorageError(StudioError):
    """A file could not be written (full disk, no permission); no half-written file is left behind."""

    exit_status = 6
