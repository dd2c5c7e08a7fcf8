"""Which services answer that the tests can use besides SQLite and files: prints their names, one line.

    .venv/bin/python tools/services.py            postgresql redis
    .venv/bin/python tools/services.py --explain  says on stderr what is not there, and what is skipped without it

Where they are: IMODEL_TEST_DATABASE_URL (postgres://root@127.0.0.1:5432/root), IMODEL_TEST_REDIS_URL.
"""

from __future__ import annotations

import os
import sys

POSTGRES = os.environ.get("IMODEL_TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/root")
REDIS = os.environ.get("IMODEL_TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
PATIENCE = 2  # seconds
RIGHTS = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"


def _postgresql() -> str:
    """Why it can not be used; empty when it can."""
    import psycopg

    address = POSTGRES.replace("postgres://", "postgresql://", 1)
    try:
        with psycopg.connect(address, connect_timeout=PATIENCE) as connection:
            row = connection.execute(RIGHTS).fetchone()
    except psycopg.Error as error:
        return str(error).splitlines()[0]
    return "" if row and row[0] else "its role may not create databases"


def _redis() -> str:
    import redis

    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE).ping()
    except redis.RedisError as error:
        return str(error).splitlines()[0]
    return ""


def main() -> int:
    """Command line."""
    reasons = {"postgresql": _postgresql(), "redis": _redis()}
    if "--explain" in sys.argv[1:]:
        for name, reason in reasons.items():
            if reason:
                print(f"{name} is not used ({reason}): the tests that need it are skipped.", file=sys.stderr)
    print(*(name for name, reason in reasons.items() if not reason))
    return 0


if __name__ == "__main__":
    sys.exit(main())
