"""Messages: one JSON object a line, UTF-8, at most 4 MiB, both ways.

Standard library only: the client reads this too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from studio.errors import Cancelled, EngineError, InputError, StorageError, StudioError, WeightsError

MAX_LINE = 4 * 2**20
LONGEST_ID = 200


class Op(StrEnum):
    """What can be asked."""

    PING = "ping"
    SHOOT = "shoot"
    REPLAY = "replay"
    PROPOSE = "propose"
    EMBED = "embed"
    GENERATE = "generate"
    INSPECT_SET = "inspect_set"
    TRAIN = "train"
    COMPARE = "compare"
    STEER = "steer"
    CANCEL = "cancel"
    SHUTDOWN = "shutdown"


class Ask(StrEnum):
    """What a running training can be asked: save now, show samples now, end after this step."""

    SAVE = "save"
    SAMPLE = "sample"
    STOP = "stop"


JOBS = frozenset(
    {Op.SHOOT, Op.REPLAY, Op.PROPOSE, Op.EMBED, Op.GENERATE, Op.INSPECT_SET, Op.TRAIN, Op.COMPARE}
)  # fmt: skip
LIGHT = frozenset({Op.PING, Op.PROPOSE, Op.EMBED, Op.INSPECT_SET, Op.CANCEL, Op.SHUTDOWN})

# The first class that fits names the kind; what is none of them is "internal".
KINDS: tuple[tuple[type[StudioError], str], ...] = (
    (InputError, "input"),
    (WeightsError, "weights"),
    (EngineError, "engine"),
    (StorageError, "storage"),
    (Cancelled, "cancelled"),
)


class Malformed(InputError):
    """The line can't be understood at all: what follows on that connection can't be trusted either."""


@dataclass(frozen=True)
class Message:
    """A request: what is asked, the job's id (None only where there is no job), and every other field."""

    op: Op
    id: str | None
    body: Mapping[str, Any]


def encode(message: Mapping[str, Any]) -> bytes:
    """One line.

    Raises:
        EngineError: ``message_too_long``.
        ValueError, TypeError: the message holds what JSON can't, NaN included.
    """
    line = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise EngineError("message_too_long", f"A message of {len(line):,} bytes is over the limit of {MAX_LINE:,}.")
    return line


def decode(line: bytes) -> dict[str, Any]:
    """The object in a line.

    Raises:
        Malformed: ``message_not_json``.
    """
    try:
        found = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("message_not_json", "A message is one JSON object a line, in UTF-8.") from error
    if not isinstance(found, dict):
        raise Malformed("message_not_json", "A message is a JSON object.")
    return found


def parse(line: bytes) -> Message:
    """A request.

    Raises:
        Malformed: no JSON object with an ``op``.
        InputError: ``op_unknown``, ``message_id_invalid``.
    """
    body = decode(line)
    op, name = body.pop("op", None), body.pop("id", None)
    if not isinstance(op, str):
        raise Malformed("message_not_json", 'A message says what it asks in "op".')
    if op not in set(Op):
        raise InputError("op_unknown", f"There is no op {op[:40]!r}. Choose one of: {', '.join(Op)}.")
    return Message(Op(op), _checked_id(Op(op), name), body)


def _checked_id(op: Op, name: object) -> str | None:
    if name is None and op not in JOBS and op not in (Op.CANCEL, Op.STEER):
        return None
    if isinstance(name, str) and 0 < len(name) <= LONGEST_ID and name.isprintable() and name.strip():
        return name
    raise InputError("message_id_invalid", f'"id" must be text of 1 to {LONGEST_ID} characters on one line.')


def ask_of(body: Mapping[str, Any]) -> Ask:
    """What a ``steer`` asks; InputError ``ask_unknown``."""
    asked = body.get("ask")
    if not isinstance(asked, str) or asked not in set(Ask):
        raise InputError("ask_unknown", f'"ask" must be one of: {", ".join(Ask)}.')
    return Ask(asked)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def error_event(name: str | None, error: StudioError) -> dict[str, Any]:
    """The event that ends a job that failed."""
    kind = next((kind for cls, kind in KINDS if isinstance(error, cls)), "internal")
    return {
        "event": "error",
        "id": name,
        "kind": kind,
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
    }


def internal_event(name: str | None, incident: str) -> dict[str, Any]:
    """The event of a bug: the traceback is in the executor's log under ``incident``, and nowhere else."""
    return {
        "event": "error",
        "id": name,
        "kind": "internal",
        "code": "internal_error",
        "message": f"Something went wrong on our side; it is in the log under {incident}.",
        "retryable": False,
        "incident": incident,
    }
