"""Check what the system must provide beyond every Debian's own; standard library only.

    system_libraries.py             shared libraries that the opencv wheel needs but does not carry
    system_libraries.py --browser   also the Chromium that the browser tests drive

``ldd cv2.abi3.so`` names libGL and GLib's libgthread beyond what every Debian has. mediapipe brings its own EGL and
GLES, and does without PortAudio. Installs the Debian packages when run as root, else says what to install.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

LIBRARIES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing(*, browser: bool) -> dict[str, str]:
    """What the loader or the path does not find, and the Debian package that has it."""
    absent = {library: package for library, package in LIBRARIES.items() if not _loads(library)}
    if browser and not any(shutil.which(name) for name in BROWSERS):
        absent["chromium"] = "chromium"
    return absent


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install(packages: list[str]) -> None:
    """Through apt; what goes wrong there is told by what is still missing afterwards."""
    print(f"Installing {' '.join(packages)} ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if subprocess.run(command, check=False, env=quiet, stdout=subprocess.DEVNULL).returncode:
        # The lists may be old, or a bare image may have none.
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        subprocess.run(command, check=False, env=quiet, stdout=subprocess.DEVNULL)


def main() -> int:
    """Command line."""
    browser = "--browser" in sys.argv[1:]
    absent = missing(browser=browser) if sys.platform == "linux" else {}
    if absent and os.geteuid() == 0 and shutil.which("apt-get"):
        install(sorted(set(absent.values())))
        absent = missing(browser=browser)
    if absent:
        packages = " ".join(sorted(set(absent.values())))
        print(f"{', '.join(absent)} not found. On Debian: sudo apt-get install {packages}", file=sys.stderr)
        if "chromium" in absent:
            print("To test without a browser: make test BROWSER=no", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
