"""``python -m studio``: find the sub-command, run it, and say what went wrong in one sentence.

Exit statuses: 0 done; 2 the input or an option; 3 weights; 4 ours; 5 cancelled; 6 a file could not be written;
130 Ctrl-C. On a terminal an error reads ``error: message [code]``; with ``--json-errors`` it is one line of JSON on
stderr: ``{"code": ..., "message": ..., "retryable": ...}``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import secrets
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, cast

import studio
from studio import cli
from studio.errors import EngineError, InputError, StudioError

INTERRUPTED = 130
BROKEN_PIPE = 141

Handler = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong option is an InputError like any other wrong input."""

    def error(self, message: str) -> NoReturn:
        hint = f"See `{self.prog} --help`."
        raise InputError("option_invalid", f"{message[:1].upper()}{message[1:]}. {hint}")


def command_names() -> list[str]:
    """The sub-commands there are: the modules of ``studio.cli`` but this one."""
    return sorted(found.name for found in pkgutil.iter_modules(cli.__path__) if found.name != "main")


def build_parser(names: Sequence[str] | None = None) -> Parser:
    """The parser with the named sub-commands (all by default); only their modules are imported."""
    parser = Parser(prog="python -m studio", description="Garment photo in, model photo out.")
    parser.add_argument("--version", action="version", version=f"imodel {studio.__version__}")
    _add_reporting(parser, default=False)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in command_names() if names is None else names:
        importlib.import_module(f"{cli.__name__}.{name}").add_parser(subparsers)
    _add_reporting_below(parser)
    return parser


def _add_reporting_below(parser: argparse.ArgumentParser) -> None:
    """Also accepted after the command's name, and after its action's; SUPPRESS keeps what stood before the name."""
    for action in parser._actions:
        for subparser in action.choices.values() if isinstance(action, argparse._SubParsersAction) else ():
            _add_reporting(subparser, default=argparse.SUPPRESS)
            _add_reporting_below(subparser)


def _add_reporting(parser: argparse.ArgumentParser, *, default: object) -> None:
    parser.add_argument("--json-errors", action="store_true", default=default, help="report an error as a line of JSON")
    parser.add_argument("--debug", action="store_true", default=default, help="show the traceback of an error")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (``sys.argv`` by default) and return the exit status; never raises a StudioError."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parse(given)
        return cast(Handler, options.handler)(options)
    except StudioError as error:
        _traceback_if_asked(given)
        _report(error, as_json="--json-errors" in given)
        return error.exit_status
    except KeyboardInterrupt:
        _traceback_if_asked(given)
        sys.stderr.write("\nStopped; nothing half-written was kept.\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) left. Without this, the interpreter fails once more as it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  the last stop: whatever it is, a sentence with an id, not a traceback
        failure = _internal(error)
        _traceback_if_asked(given)
        _report(failure, as_json="--json-errors" in given)
        return failure.exit_status


def _parse(given: list[str]) -> argparse.Namespace:
    """Import only the sub-command that is asked for; all of them when none is, so that help can list them."""
    known = command_names()
    asked = next((argument for argument in given if not argument.startswith("-")), None)
    return build_parser([asked] if asked in known else known).parse_args(given)


def _report(error: StudioError, *, as_json: bool) -> None:
    if as_json:
        fields = {"code": error.code, "message": error.message, "retryable": error.retryable}
        sys.stderr.write(json.dumps(fields, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"error: {error}\n")


def _traceback_if_asked(given: list[str]) -> None:
    if "--debug" in given:
        traceback.print_exc()


def _internal(error: Exception) -> EngineError:
    """What the user sees of a bug: an id, and where the traceback lies under that id."""
    incident = secrets.token_hex(4)
    log = _log_path()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"--- {incident} imodel {studio.__version__}\n{''.join(traceback.format_exception(error))}")
        where = f"The details are in {log} under {incident}."
    except OSError as unwritable:
        where = f"The details could not be written to {log} ({unwritable.strerror}); run again with --debug."
    return EngineError("internal_error", f"Something went wrong on our side. {where}")


def _log_path() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "imodel" / "errors.log"
