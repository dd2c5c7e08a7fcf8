"""What the children say: all of it into rotated files, and in short lines to the terminal what a person should know."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

MEGABYTE = 2**20
KEPT, LARGEST = 5, 20 * MEGABYTE
SERIOUS = {"WARNING", "ERROR", "CRITICAL"}
TOLD = ("imodel.jobs",)  # loggers whose INFO lines are of interest while one watches
WIDTH = 180


class Relay:
    """Writes ``<folder>/<child>.log`` and calls ``say`` with short lines."""

    def __init__(self, folder: Path, say: Callable[[str], None], *, verbose: bool) -> None:
        self.folder = folder
        self.say = say
        self.verbose = verbose
        self._files: dict[str, RotatingFileHandler] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def __call__(self, name: str, line: str) -> None:
        """One line of a child's output."""
        self._file(name).emit(logging.LogRecord(name, logging.INFO, "", 0, line, None, None))
        short = summary(name, line, verbose=self.verbose)
        if short:
            self.say(short)

    def _file(self, name: str) -> RotatingFileHandler:
        if name not in self._files:
            path = self.folder / f"{name}.log"
            path.touch(mode=0o600)
            handler = RotatingFileHandler(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
            self._files[name] = handler
        return self._files[name]

    def close(self) -> None:
        """Close the files."""
        for handler in self._files.values():
            handler.close()


def summary(name: str, line: str, *, verbose: bool) -> str:
    """A short line for the terminal, or nothing."""
    try:
        record: Any = json.loads(line)
    except ValueError:
        return f"         {name:6}  {line[:WIDTH]}" if verbose else ""
    if not isinstance(record, dict) or not (verbose or _matters(record)):
        return ""
    level = f"{record['level'].lower()}: " if record.get("level") in SERIOUS else ""
    ids = f"  [{record['request_id']}]" if level and record.get("request_id") else ""
    return f"{_clock(record)} {name:6}  {level}{str(record.get('message', ''))[:WIDTH]}{ids}"


def _matters(record: dict[str, Any]) -> bool:
    logger = str(record.get("logger", ""))
    return record.get("level") in SERIOUS or (record.get("level") == "INFO" and logger.startswith(TOLD))


def _clock(record: dict[str, Any]) -> str:
    try:
        at = datetime.fromisoformat(str(record.get("at")).replace("Z", "+00:00")).astimezone()
    except ValueError:
        at = datetime.now()
    return at.strftime("%H:%M:%S")
