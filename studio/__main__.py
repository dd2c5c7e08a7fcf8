"""``python -m studio``."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from studio.cli.main import main

TERMINATED = 128 + signal.SIGTERM


def _leave(signum: int, frame: FrameType | None) -> None:
    """Unwind on SIGTERM as on Ctrl-C, so that files written aside are tidied away."""
    sys.exit(TERMINATED)


if __name__ == "__main__":
    # Threads that spin at a barrier, the default, lose a time slice at each one when somebody else holds a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    signal.signal(signal.SIGTERM, _leave)
    sys.exit(main())
