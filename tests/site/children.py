"""Stand-ins for web and worker: small programs that do as they are told.

    python children.py FILE [--stubborn] [--family] [--dies N]

appends its process id to FILE, then waits; ``--family`` starts a child of its own that ignores SIGTERM; ``--dies N``
ends at once with status N.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def main() -> None:
    arguments = sys.argv[1:]
    with Path(arguments[0]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    print("here", flush=True)
    if "--dies" in arguments:
        print("last words", flush=True)
        sys.exit(int(arguments[-1]))
    if "--family" in arguments:
        subprocess.Popen([sys.executable, __file__, arguments[0], "--stubborn"])
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "--stubborn" in arguments else lambda *_: sys.exit(0))
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
