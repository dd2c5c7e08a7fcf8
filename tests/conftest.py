"""What every test shares: no network by accident, and no more threads than a small machine has."""

from __future__ import annotations

import os

# Before anything imports huggingface_hub or torch: both read these once, at import.
# A test that talks to its own hub stand-in sets HF_HUB_OFFLINE=0 in the child process it starts.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# mediapipe's GL and XNNPACK chatter hides what pytest has to say.
os.environ.setdefault("GLOG_minloglevel", "2")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

# Parameters of fixtures that bring a database of their own, and what they call the two.
DATABASES = {"kind", "databases", "house"}
CALLED = {"sqlite": "sqlite", "postgres": "postgres", "postgresql": "postgres"}


def pytest_collection_modifyitems(config, items):  # type: ignore[no-untyped-def]
    """`make test` has a run for each database: what brings its own runs in the one it belongs to, and not twice."""
    if not os.environ.get("IMODEL_TEST_EACH_ONCE"):
        return
    run = os.environ.get("IMODEL_TEST_DATABASE", "sqlite")
    kept = [item for item in items if _belongs_to(item, run)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _belongs_to(item, run):  # type: ignore[no-untyped-def]
    params = getattr(item, "callspec", None) and item.callspec.params or {}
    named = {CALLED.get(str(value), run) for name, value in params.items() if name in DATABASES}
    return named <= {run} and not (run == "postgres" and item.get_closest_marker("once"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):  # type: ignore[no-untyped-def]
    """On PostgreSQL the tests run as the application's role; emptying tables between tests is all it may do beyond."""
    from django.conf import settings
    from django.db import connection

    from accounts.row_security import as_owner

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), as_owner(connection), connection.cursor() as cursor:
            cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {settings.DATABASE_ROLE}")
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone() == (True,):
                type(connection.ops).execute_sql_flush = _delete_what_is_there


def _delete_what_is_there(ops, sql_list):  # type: ignore[no-untyped-def]
    """In the place of TRUNCATE, which takes a second for a hundred tables, after each test, though most are empty.

    As the superuser, past triggers and foreign keys: what is append-only must go as well, and all of it goes.
    """
    from django.db import transaction

    from accounts.row_security import as_owner

    connection = ops.connection
    known = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [name for name in known if name not in ("django_content_type", "auth_permission")]  # the same ever after
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables)
    with as_owner(connection), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in filled:
            cursor.execute(f'DELETE FROM "{name}"')


@pytest.fixture
def cast(db):  # type: ignore[no-untyped-def]
    """alice, bob, vera and charlie with their merchants; see tests/cast.py."""
    from tests.cast import make_cast

    return make_cast()


def pytest_sessionfinish(session, exitstatus):  # type: ignore[no-untyped-def]
    """A run that was told which services answer fails when a test was skipped for want of one of them."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    required = os.environ.get("IMODEL_REQUIRE_SERVICES", "").split()
    if reporter is None or not required or exitstatus:
        return
    reasons = {str(report.longrepr) for report in reporter.stats.get("skipped", ())}
    wanting = sorted(reason for reason in reasons if any(service in reason.lower() for service in required))
    if wanting:
        reporter.write_line("\nThese services answer, but tests were skipped for want of them:", red=True)
        for reason in wanting:
            reporter.write_line(f"    {reason}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
