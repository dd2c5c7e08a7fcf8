"""This machine and its settings: weights, system libraries, secret, hosts, HTTPS."""

from __future__ import annotations

import ctypes
import platform
import stat
from collections.abc import Iterator

from django.conf import settings

from imodel_site import env
from imodel_site.doctor.findings import Finding, bad, ok, warn

LIBRARIES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}  # as in tools/system_libraries.py


def weights() -> Iterator[Finding]:
    """The family that shoots use is on this machine, unharmed: each file is read and hashed."""
    from studio.errors import StudioError
    from studio.weights.verify import verify

    family = settings.ENGINE
    try:
        read = verify(family)
    except StudioError as error:
        yield bad("weights", f"{family}: {error.message}", f"Run: python -m studio weights fetch {family}")
    else:
        yield ok("weights", f"{family}: {read / 1e6:.0f} MB read, all as recorded")


def libraries() -> Iterator[Finding]:
    """What OpenCV's wheel needs from the system."""
    missing = [library for library in LIBRARIES if platform.system() == "Linux" and not _loads(library)]
    if missing:
        packages = " ".join(LIBRARIES[library] for library in missing)
        yield bad("system libraries", f"{', '.join(missing)} not found", f"On Debian: apt-get install {packages}")
    else:
        yield ok("system libraries", "all there")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def wire() -> Iterator[Finding]:
    """Who may talk to the site, and how."""
    public = [host for host in settings.ALLOWED_HOSTS if host not in env.LOCAL]
    if settings.DEBUG:
        yield warn("debug", "on: errors show their innards to everybody", "Unset IMODEL_DEBUG.")
    if public and not settings.HTTPS:
        todo = (
            "Put a proxy with TLS in front, then set IMODEL_HTTPS=1 and IMODEL_TRUSTED_PROXIES=1 (docs/operations.md)."
        )
        yield warn("HTTPS", f"off, for {', '.join(public)}", todo)
    else:
        yield ok("HTTPS", f"{'on' if settings.HTTPS else 'off, for this machine only'}: {settings.SITE_URL}")
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        todo = "Set IMODEL_TRUSTED_PROXIES=1 behind a proxy: without it every request is redirected for ever."
        yield warn("proxies", "HTTPS is on, but no proxy is trusted to say so", todo)


def secret() -> Iterator[Finding]:
    """The key is nobody else's to read."""
    path = settings.RUN_DIR / "secret"
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield bad("secret key", f"{path} can be read by others", f"Run: chmod 600 {path}")
        return
    old = len(settings.SECRET_KEY_FALLBACKS)
    yield ok("secret key", f"{len(settings.SECRET_KEY)} characters" + (f", {old} old still honoured" if old else ""))
