"""Each bad value of the environment is refused at start-up, with its name and what to write instead."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
KEY = "k1-Zr8mVtq0LwXyB5nCjD2eFhG7sPuA4oQiT9_3Mz6NcWgEvRbYxK"
GOOD = {
    "IMODEL_SECRET_KEY": KEY,
    "IMODEL_HOSTS": "shop.example.com,.example.org",
    "IMODEL_TRUSTED_PROXIES": "1",
    "DATABASE_URL": "postgres://app:pw@db:5432/imodel",
    "REDIS_URL": "redis://:pw@cache:6379/0",
    "IMODEL_STORAGE": "s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1",
    "EMAIL_URL": "smtp://user:p%40ss@mail.example.com:587?tls=1",
    "IMODEL_FROM_EMAIL": "Shop <no-reply@example.com>",
}
NAMES = ("IMODEL_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs settings.py afresh under an environment of the test's own."""

    def run(**changes: str) -> dict[str, Any]:
        for name in list(os.environ):
            if name.startswith(NAMES):
                monkeypatch.delenv(name)
        for name, value in {**GOOD, "IMODEL_DATA": str(tmp_path), **changes}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "imodel_site" / "settings.py"))

    return run


BAD = [
    ("IMODEL_SECRET_KEY", "", "50 random characters"),
    ("IMODEL_SECRET_KEY", "short", "secrets.token_urlsafe"),
    ("IMODEL_SECRET_KEY", "x" * 60, "random"),
    ("IMODEL_OLD_SECRET_KEYS", f"{KEY},oops", "whole keys"),
    ("IMODEL_HOSTS", "", "must name the hosts"),
    ("IMODEL_HOSTS", "*", "is refused"),
    ("IMODEL_HOSTS", "https://shop.example.com", "leave out https://"),
    ("IMODEL_HOSTS", "shop.example.com:8000", "port"),
    ("IMODEL_HOSTS", "shop example.com", "bare host name"),
    ("IMODEL_SITE_URL", "http://shop.example.com", "write https://"),
    ("IMODEL_SITE_URL", "https://other.example.net", "add it there"),
    ("IMODEL_SITE_URL", "shop.example.com", "scheme and host only"),
    ("IMODEL_SITE_URL", "https://shop.example.com/path", "scheme and host only"),
    ("IMODEL_SITE_URL", "https://shop.example.com:notaport", "scheme and host only"),
    ("IMODEL_DEBUG", "maybe", "write 1 or 0"),
    ("IMODEL_HTTPS", "si", "write 1 or 0"),
    ("IMODEL_TRUSTED_PROXIES", "two", "from 0 to 10"),
    ("IMODEL_TRUSTED_PROXIES", "-1", "from 0 to 10"),
    ("IMODEL_TRUSTED_PROXIES", "²", "from 0 to 10"),
    ("IMODEL_TRUSTED_PROXIES", "--5", "from 0 to 10"),
    ("DATABASE_URL", "mysql://app:geheim@db/imodel", "use postgres://"),
    ("DATABASE_URL", "postgres://app:geheim@db", "names no database"),
    ("DATABASE_URL", "postgres://app:geheim@db:port/imodel", "can not be read"),
    ("DATABASE_URL", "sqlite://:memory:", "can not be"),
    ("IMODEL_DATABASE_ROLE", 'app"; drop', "lower case"),
    ("REDIS_URL", "http://cache:6379", "redis://"),
    ("REDIS_URL", "redis://:geheim@cache:x/0", "redis://"),
    ("IMODEL_STORAGE", "gs://bucket", "s3://bucket/prefix"),
    ("IMODEL_STORAGE", "s3:///prefix", "s3://bucket/prefix"),
    ("IMODEL_STORAGE", "s3://bucket?acl=public-read", "s3://bucket/prefix"),
    ("IMODEL_X_ACCEL", "protected", "between slashes"),
    ("IMODEL_QUOTA_MB", "0", "from 1 to"),
    ("IMODEL_LIGHT_WORKERS", "many", "from 0 to 64"),
    ("IMODEL_GENERATE_WORKERS", "65", "from 0 to 64"),
    ("IMODEL_TRAIN_WORKERS", "-2", "from 0 to 16"),
    ("IMODEL_ENGINE", "../mini", "weights list"),
    ("EMAIL_URL", "mail.example.com", "give smtp://"),
    ("EMAIL_URL", "smtp://user:geheim@:587", "give smtp://"),
    ("EMAIL_URL", "smtp://user:geheim@mail.example.com:99999", "give smtp://"),
    ("EMAIL_URL", "file://relative/folder", "give smtp://"),
    ("IMODEL_FROM_EMAIL", "nobody", "an e-mail address"),
    ("IMODEL_FROM_EMAIL", "Shop <a@b.c>\nBcc: x@y.z", "an e-mail address"),
    ("IMODEL_LOG", "xml", "json, plain"),
    ("IMODEL_LOG_LEVEL", "loud", "DEBUG, INFO"),
]


@pytest.mark.parametrize(("name", "value", "remedy"), BAD)
def test_a_bad_value_is_refused_with_its_name_and_a_remedy(load: Any, name: str, value: str, remedy: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        load(**{name: value})
    message = str(refused.value)
    assert name in message and remedy in message
    assert "geheim" not in message, "a refused value that may hold a password is not repeated"


def test_good_values_arrive_where_django_reads_them(load: Any) -> None:
    found = load()
    assert found["DEBUG"] is False and found["SITE_URL"] == "https://shop.example.com"
    assert (
        found["DATABASES"]["default"]["HOST"] == "db"
        and found["DATABASES"]["default"]["OPTIONS"]["connect_timeout"] == 5
    )
    assert found["STORAGES"]["default"]["OPTIONS"]["bucket_name"] == "bucket"
    assert found["STORAGES"]["default"]["OPTIONS"]["location"] == "prefix"
    assert (found["EMAIL_HOST"], found["EMAIL_HOST_PASSWORD"], found["EMAIL_USE_TLS"]) == (
        "mail.example.com",
        "p@ss",
        True,
    )
    assert found["CACHES"]["default"]["LOCATION"] == "redis://:pw@cache:6379/0"
    assert found["SESSION_COOKIE_NAME"] == "__Host-session" and found["SESSION_COOKIE_SECURE"] is True


def test_without_services_everything_is_embedded_in_the_data_folder(load: Any, tmp_path: Path) -> None:
    found = load(DATABASE_URL="", REDIS_URL="", IMODEL_STORAGE="", EMAIL_URL=f"file://{tmp_path}/my%20mail")
    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / "imodel.sqlite3")
    assert found["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert found["STORAGES"]["default"]["OPTIONS"]["location"] == str(tmp_path / "media")
    assert found["EMAIL_FILE_PATH"] == f"{tmp_path}/my mail"
    assert str(tmp_path) in found["CACHES"]["default"]["LOCATION"]


def test_check_deploy_is_clean_with_production_settings(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(NAMES)}
    environment |= {**GOOD, "IMODEL_DATA": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    environment["DJANGO_SETTINGS_MODULE"] = "imodel_site.settings"
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "no issues" in done.stdout
