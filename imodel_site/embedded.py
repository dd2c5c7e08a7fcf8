"""The defaults of one machine without a configuration (`make run`): each is an environment variable that may be set.

Read before Django's settings; standard library only. A production process never passes here: granian and
`manage.py worker` take their environment as it is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def data_dir(environment: MutableMapping[str, str]) -> Path:
    """``IMODEL_DATA``, as the settings read it."""
    return Path(environment.get("IMODEL_DATA") or ROOT / "var").expanduser().resolve()


def apply(environment: MutableMapping[str, str], *, create: bool) -> None:
    """Fill in what is not set, unless IMODEL_SECRET_KEY is: whoever has set that configures the rest as well.

    ``create`` makes the secret key when there is none yet; without it, only an installation that `make run` has made
    gets the defaults.
    """
    data = data_dir(environment)
    if environment.get("IMODEL_SECRET_KEY") or not (create or _key_file(data).is_file()):
        return
    environment["IMODEL_SECRET_KEY"] = secret_key(data)
    for name, value in _defaults(data).items():
        if not environment.get(name):
            environment[name] = value


def _defaults(data: Path) -> dict[str, str]:
    return {
        "IMODEL_HOSTS": "localhost,127.0.0.1",
        "IMODEL_HTTPS": "0",
        "IMODEL_DEMO": "1",
        "EMAIL_URL": (data / "mail").as_uri(),
    }


def _key_file(data: Path) -> Path:
    return data / "run" / "secret"


def secret_key(data: Path) -> str:
    """The installation's own key, made once, readable by its owner only."""
    path = _key_file(data)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"secret.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(aside, path)  # atomic, and fails when another start was quicker
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    return path.read_text(encoding="ascii").strip()
