"""``python -m studio``."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from studio.cli.main import main

TERMINATED = 128 + signal.SIGTERM


def _leave(signum: int, frame: FrameType | None) -> None:
    """Unwind on SIGTERM as on Ctrl-C, so that files written aside are tidied away."""
    sys.exit(TERMINATED)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    sys.exit(main())
