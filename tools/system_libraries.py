"""Check the shared libraries that the opencv wheel needs but does not carry; standard library only.

``ldd cv2.abi3.so`` names libGL and GLib's libgthread beyond what every Debian has. mediapipe brings its own EGL and
GLES, and does without PortAudio. Installs the Debian packages when run as root, else says what to install.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

DEBIAN_PACKAGES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}


def missing() -> list[str]:
    """The libraries of :data:`DEBIAN_PACKAGES` that the loader can not find."""
    absent = []
    for library in DEBIAN_PACKAGES:
        try:
            ctypes.CDLL(library)
        except OSError:
            absent.append(library)
    return absent


def install(libraries: list[str]) -> None:
    packages = [DEBIAN_PACKAGES[library] for library in libraries]
    print(f"Installing {' '.join(packages)} for opencv ...")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=True, env=quiet)


def main() -> int:
    absent = missing()
    if absent and sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        install(absent)
        absent = missing()
    if absent and sys.platform == "linux":
        packages = " ".join(DEBIAN_PACKAGES[library] for library in absent)
        print(f"opencv needs {', '.join(absent)}. On Debian: sudo apt-get install {packages}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
