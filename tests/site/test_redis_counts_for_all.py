"""With REDIS_URL, what is counted and cached is shared by every process: a real Redis, and processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tools.services import REDIS

pytestmark = pytest.mark.once
COUNT = """
import django; django.setup()
from django.core.cache import cache
print(cache.add("redis-test:first", 1, timeout=30), cache.incr("redis-test:count"))
"""
LOGIN = """
import sys
import django; django.setup()
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
call_command("migrate", verbosity=0)
for _ in range(int(sys.argv[1])):
    page = Client().post(reverse("account_login"), {"login": "nobody@example.com", "password": "wrong"})
print(page.status_code, "Too many failed login attempts" in page.content.decode())
"""


@pytest.fixture
def environment(tmp_path):  # type: ignore[no-untyped-def]
    import redis

    store = redis.Redis.from_url(REDIS, socket_connect_timeout=2)
    try:
        store.ping()
    except redis.RedisError:
        pytest.skip("redis does not answer")
    store.flushdb()
    yield {
        **{name: value for name, value in os.environ.items() if not name.startswith("IMODEL_")},
        "DJANGO_SETTINGS_MODULE": "imodel_site.settings",
        "IMODEL_DATA": str(tmp_path),
        "IMODEL_SECRET_KEY": "for-tests-only-" + "x" * 60,
        "IMODEL_HOSTS": "testserver",
        "IMODEL_DEBUG": "1",  # no manifest of the static files in this folder
        "IMODEL_LOG_LEVEL": "ERROR",
        "REDIS_URL": REDIS,
    }
    store.flushdb()


def run(program: str, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_a_second_process_sees_what_the_first_one_counted(environment: dict[str, str]) -> None:
    import redis

    redis.Redis.from_url(REDIS).set("imodel:1:redis-test:count", 0)
    assert run(COUNT, environment) == "True 1"
    assert run(COUNT, environment) == "False 2"


def test_failed_logins_of_one_process_count_in_the_next(environment: dict[str, str]) -> None:
    run(LOGIN, environment, "5")
    assert run(LOGIN, environment, "1") == "200 True"


def test_a_first_failed_login_is_not_held_up(environment: dict[str, str]) -> None:
    assert run(LOGIN, environment, "1") == "200 False"
