"""Production's settings for tests, in a folder of their own; PostgreSQL with IMODEL_TEST_DATABASE=postgres."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_DATA = Path(tempfile.mkdtemp(prefix="imodel-tests-"))
atexit.register(shutil.rmtree, _DATA, ignore_errors=True)
(_DATA / "static").mkdir()  # whitenoise warns without it
os.environ.update(
    IMODEL_DATA=str(_DATA),
    IMODEL_SECRET_KEY="for-tests-only-" + "x" * 40,
    IMODEL_HOSTS="testserver,localhost,127.0.0.1",
    IMODEL_SITE_URL="http://testserver",
    IMODEL_HTTPS="0",
    IMODEL_LOG="plain",
    IMODEL_LOG_LEVEL="WARNING",
)
for _name in ("DATABASE_URL", "REDIS_URL", "IMODEL_STORAGE", "EMAIL_URL"):
    os.environ.pop(_name, None)
if os.environ.get("IMODEL_TEST_DATABASE", "sqlite") == "postgres":
    os.environ["DATABASE_URL"] = os.environ.get("IMODEL_TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/root")

from imodel_site.settings import *  # noqa: E402, F403
from imodel_site.settings import BASE_DIR, DATABASES, DJANGO_VITE, INSTALLED_APPS, STORAGES  # noqa: E402

DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(_DATA / "test.sqlite3")}
else:
    # A name for each run, inherited by its xdist workers: two runs on one server must not drop each other's database.
    _run = os.environ.setdefault("IMODEL_TEST_RUN", str(os.getpid()))
    DATABASES["default"]["TEST"] = {"NAME": f"test_imodel_{_run}"}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
BUILT_DIR = BASE_DIR / "static" / "dist"  # nothing is collected
DJANGO_VITE = {"default": {**DJANGO_VITE["default"], "manifest_path": BUILT_DIR / "manifest.json"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "imodel_site.lib.caches.Memory"}}
INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs.app"]
