from __future__ import annotations

import argparse
import importlib
import json
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio import __version__
from studio.cli import main as main_module
from studio.cli.main import main
from studio.errors import Cancelled, InputError, OutOfMemory, StorageError, StudioError, WeightsError

Use = Callable[[BaseException | None], None]


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Use:
    """Put a sub-command ``probe`` in place that raises what it is told to, and keep the error log out of the home."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def use(error: BaseException | None) -> None:
        def handler(options: argparse.Namespace) -> int:
            if error is not None:
                raise error
            print("done", options.debug)
            return 0

        module: Any = types.ModuleType("studio.cli.probe")

        def add_parser(subparsers: Any) -> None:
            parser = subparsers.add_parser("probe")
            parser.set_defaults(handler=handler)
            parser.add_subparsers().add_parser("act")

        module.add_parser = add_parser
        monkeypatch.setitem(sys.modules, "studio.cli.probe", module)
        monkeypatch.setattr(main_module, "command_names", lambda: ["probe"])

    return use


ERRORS: list[tuple[StudioError, int]] = [
    (InputError("photo_empty", "No content."), 2),
    (WeightsError("weights_missing", "Fetch them."), 3),
    (OutOfMemory("Too large."), 4),
    (Cancelled(), 5),
    (StorageError("disk_full", "No room.", retryable=True), 6),
]


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda value: getattr(value, "code", None))
def test_each_kind_of_error_has_its_exit_status(
    probe: Use, capsys: pytest.CaptureFixture[str], error: StudioError, status: int
) -> None:
    probe(error)
    assert main(["probe"]) == status
    assert capsys.readouterr() == ("", f"error: {error.message} [{error.code}]\n")


@pytest.mark.parametrize("line", [["--json-errors", "probe"], ["probe", "--json-errors"]])
def test_an_error_as_json_is_one_line(probe: Use, capsys: pytest.CaptureFixture[str], line: list[str]) -> None:
    probe(StorageError("disk_full", "No room, señor.", retryable=True))
    assert main(line) == 6
    stderr = capsys.readouterr().err
    assert json.loads(stderr) == {"code": "disk_full", "message": "No room, señor.", "retryable": True}
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "debug"),
    [
        (["--debug", "probe"], True),
        (["probe", "--debug"], True),
        (["probe", "act", "--debug"], True),
        (["probe"], False),
    ],
)
def test_debug_is_understood_before_and_after_the_command(
    probe: Use, capsys: pytest.CaptureFixture[str], line: list[str], debug: bool
) -> None:
    probe(None)
    assert main(line) == 0
    assert capsys.readouterr().out == f"done {debug}\n"


def test_a_bug_is_a_sentence_with_an_id_and_its_traceback_is_in_the_log(
    probe: Use, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    probe(ZeroDivisionError("the secret inside"))
    assert main(["probe"]) == 4
    stderr = capsys.readouterr().err
    assert "[internal_error]" in stderr and "Traceback" not in stderr and "secret inside" not in stderr
    log = (tmp_path / "imodel" / "errors.log").read_text()
    incident = log.split()[1]
    assert len(incident) == 8 and incident in stderr and "ZeroDivisionError: the secret inside" in log


def test_debug_shows_the_traceback(probe: Use, capsys: pytest.CaptureFixture[str]) -> None:
    probe(ZeroDivisionError("inside"))
    assert main(["probe", "--debug"]) == 4
    assert "ZeroDivisionError: inside" in capsys.readouterr().err


def test_ctrl_c_ends_with_130(probe: Use, capsys: pytest.CaptureFixture[str]) -> None:
    probe(KeyboardInterrupt())
    assert main(["probe"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("line", [["no-such-command"], ["probe", "--no-such-option"], []])
def test_a_wrong_command_line_is_an_input_error(
    probe: Use, capsys: pytest.CaptureFixture[str], line: list[str]
) -> None:
    probe(None)
    assert main(line) == 2
    assert "[option_invalid]" in capsys.readouterr().err


def test_the_version_is_printed() -> None:
    done = subprocess.run([sys.executable, "-m", "studio", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"imodel {__version__}\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    program = (
        "import sys, types\nfrom studio.cli import main as m\n"
        "module = types.ModuleType('studio.cli.probe'); sys.modules['studio.cli.probe'] = module\n"
        "def handler(options):\n    while True: print('x' * 9999, flush=True)\n"
        "module.add_parser = lambda s: s.add_parser('probe').set_defaults(handler=handler)\n"
        "m.command_names = lambda: ['probe']\n"
        "sys.exit(m.main(['probe']))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.read(10)
    child.stdout.close()
    assert child.stderr.read() == b"" and child.wait() == 141
    child.stderr.close()


def test_sigterm_unwinds_and_tidies() -> None:
    program = (
        "import signal, sys, time\nfrom studio.__main__ import _leave\n"
        "signal.signal(signal.SIGTERM, _leave)\n"
        "try:\n    print('ready', flush=True); signal.pause()\nfinally:\n    print('tidied', flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    assert child.stdout.read() == "tidied\n" and child.wait() == 143
    child.stdout.close()


@pytest.mark.parametrize("name", main_module.command_names())
def test_every_sub_command_has_a_parser_and_a_handler(name: str) -> None:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    importlib.import_module(f"studio.cli.{name}").add_parser(subparsers)
    assert name in subparsers.choices
    assert subparsers.choices[name].format_help().strip()
