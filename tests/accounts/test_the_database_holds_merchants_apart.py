"""Ring 5, through a raw connection in the application's role that forgets its filter. PostgreSQL only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts import checks, policies, row_security, tables
from accounts.models import Membership, Merchant, Role
from catalog.models import Scene
from imodel_site.lib.scope import merchant_scope, unscoped

pytestmark = [
    pytest.mark.skipif("postgres" not in settings.DATABASES["default"]["ENGINE"], reason="needs PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def raw(transactional_db: Any) -> Iterator[psycopg.Connection[Any]]:
    """A connection of our own, which knows nothing of Django."""
    found = settings.DATABASES["default"]
    with psycopg.connect(
        dbname=connection.settings_dict["NAME"],
        host=found["HOST"],
        port=found["PORT"] or None,
        user=found["USER"],
        password=found["PASSWORD"] or None,
        autocommit=True,
        options=f"-c role={settings.DATABASE_ROLE}",
    ) as made:
        yield made


def seen(raw: psycopg.Connection[Any], merchant: Any, table: str = "accounts_membership") -> int:
    with raw.transaction():
        if merchant is not None:
            raw.execute("SELECT set_config('app.merchant', %s, true)", [str(merchant)])
        row = raw.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def test_without_a_merchant_there_are_no_rows(raw: psycopg.Connection[Any], cast: Any) -> None:
    assert (seen(raw, None), seen(raw, "")) == (0, 0)


def test_with_a_merchant_there_are_only_its_rows(raw: psycopg.Connection[Any], cast: Any) -> None:
    assert (seen(raw, cast.atelier.pk), seen(raw, cast.bazaar.pk), seen(raw, "*")) == (3, 1, 4)


def test_the_setting_ends_with_its_transaction_on_a_connection_that_is_used_again(
    raw: psycopg.Connection[Any], cast: Any
) -> None:
    assert (seen(raw, cast.atelier.pk), seen(raw, None)) == (3, 0)


def test_a_row_for_another_merchant_is_refused(raw: psycopg.Connection[Any], cast: Any) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), raw.transaction():
        raw.execute("SELECT set_config('app.merchant', %s, true)", [str(cast.bazaar.pk)])
        raw.execute(
            "INSERT INTO accounts_membership (id, user_id, role, created_at, merchant_id) "
            "VALUES (gen_random_uuid(), %s, 'owner', now(), %s)",
            [cast.charlie.pk, cast.atelier.pk],
        )


def test_another_merchants_rows_are_neither_changed_nor_deleted_nor_taken_over(
    raw: psycopg.Connection[Any], cast: Any
) -> None:
    with raw.transaction():
        raw.execute("SELECT set_config('app.merchant', %s, true)", [str(cast.bazaar.pk)])
        changed = raw.execute("UPDATE accounts_membership SET role = 'viewer'").rowcount
        deleted = raw.execute("DELETE FROM accounts_membership WHERE role = 'owner'").rowcount
    assert (changed, deleted, seen(raw, cast.atelier.pk)) == (1, 0, 3)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), raw.transaction():
        raw.execute("SELECT set_config('app.merchant', %s, true)", [str(cast.bazaar.pk)])
        raw.execute("UPDATE accounts_membership SET merchant_id = %s", [cast.atelier.pk])


def test_shared_library_rows_are_read_by_all_and_written_by_none(raw: psycopg.Connection[Any], cast: Any) -> None:
    with unscoped("test"):
        Scene.objects.all().delete()
        Scene.objects.create(name="shared", title="Shared", words="w")
        Scene.objects.create(merchant=cast.atelier, name="own", title="Own", words="w")
    counts = [seen(raw, who, "catalog_scene") for who in (cast.atelier.pk, cast.bazaar.pk, None)]
    assert counts == [2, 1, 0]
    with raw.transaction():
        raw.execute("SELECT set_config('app.merchant', %s, true)", [str(cast.atelier.pk)])
        assert raw.execute("UPDATE catalog_scene SET title = 'x'").rowcount == 1
        assert raw.execute("DELETE FROM catalog_scene WHERE name = 'shared'").rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege), raw.transaction():
        raw.execute("SELECT set_config('app.merchant', %s, true)", [str(cast.atelier.pk)])
        raw.execute("UPDATE catalog_scene SET merchant_id = NULL")


def test_the_role_can_not_switch_the_policies_off(raw: psycopg.Connection[Any]) -> None:
    for statement in (
        "ALTER TABLE accounts_membership DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON accounts_membership",
        "DROP TABLE accounts_membership",
        "CREATE TABLE mine (id int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raw.execute(statement)


def test_every_table_of_merchants_has_its_policies() -> None:
    """Derived from the models: a model that is added is there as well, after a migrate."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        forced = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'merchant_id' "
            "AND table_schema = current_schema()"
        )
        held = {row[0] for row in cursor.fetchall()}
    owned = {model._meta.db_table for model in tables.owned()}
    assert owned == forced
    # The report and the audit log outlive their merchant; nothing else with a merchant_id may be without a policy.
    assert held - owned == {"accounts_deletionreport", "accounts_auditentry"}


def test_the_application_runs_in_a_role_without_weaknesses() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (settings.DATABASE_ROLE,)
    assert policies.weaknesses(connection) == []
    assert checks.database_holds_merchants_apart(databases=["default"]) == []


def test_a_role_that_can_bypass_is_refused() -> None:
    with row_security.as_owner(connection):
        (finding,) = checks.database_holds_merchants_apart(databases=["default"])
    assert finding.is_serious() and "superuser" in finding.msg


def test_a_table_without_policies_is_noticed_and_migrate_repairs_it() -> None:
    with row_security.as_owner(connection), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_apikey NO FORCE ROW LEVEL SECURITY")
        cursor.execute("DROP POLICY own_rows ON accounts_invitation")
    assert [text.split()[2] for text in policies.weaknesses(connection)] == ["accounts_apikey", "accounts_invitation"]
    call_command("migrate", verbosity=0)
    assert policies.weaknesses(connection) == []
    assert policies.secure(connection) == []


def counted() -> int:
    with connection.cursor() as cursor:  # past every manager
        cursor.execute("SELECT count(*) FROM accounts_membership")
        return int(cursor.fetchone()[0])


def test_django_tells_the_scope_to_raw_cursors_with_and_without_a_transaction(cast: Any) -> None:
    assert counted() == 0
    with merchant_scope(cast.atelier.pk):
        assert counted() == 3
        with transaction.atomic():
            assert counted() == 3
            with merchant_scope(cast.bazaar.pk):
                assert counted() == 1
            assert counted() == 3
        with unscoped("test"):
            assert counted() == 4
    with transaction.atomic():
        assert counted() == 0


def test_a_rollback_to_a_savepoint_does_not_leave_the_other_scope_behind(cast: Any) -> None:
    with merchant_scope(cast.atelier.pk), transaction.atomic():
        assert counted() == 3
        with pytest.raises(ZeroDivisionError), transaction.atomic(), merchant_scope(cast.bazaar.pk):
            assert counted() == 1
            raise ZeroDivisionError
        assert counted() == 3
        mark = transaction.savepoint()  # by hand: Django keeps no list of these
        with merchant_scope(cast.bazaar.pk):
            assert counted() == 1
            transaction.savepoint_rollback(mark)
            assert counted() == 1
        assert counted() == 3


def test_a_transaction_that_begins_with_another_statement_is_told_all_the_same(cast: Any) -> None:
    with merchant_scope(cast.atelier.pk):
        for _ in range(2):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                assert counted() == 3


def test_an_error_inside_a_transaction_is_djangos_error_and_the_connection_recovers(cast: Any) -> None:
    with merchant_scope(cast.atelier.pk):
        with pytest.raises(DatabaseError), transaction.atomic():
            with connection.cursor() as cursor, pytest.raises(DatabaseError):
                cursor.execute("SELECT no_such_column FROM accounts_membership")
            with merchant_scope(cast.bazaar.pk):
                counted()
        with transaction.atomic():
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1/0")
            assert counted() == 3


@pytest.mark.parametrize("inside", [True, False])
def test_rows_that_are_streamed_from_the_server_are_the_scopes(cast: Any, inside: bool) -> None:
    def names() -> list[str]:
        rows = Membership.objects.order_by("id").iterator(chunk_size=1)
        return [row.role for row in rows]

    with merchant_scope(cast.atelier.pk):
        if inside:
            with transaction.atomic():
                assert names() == [Role.OWNER, Role.EDITOR, Role.VIEWER]
        else:
            assert names() == [Role.OWNER, Role.EDITOR, Role.VIEWER]


def test_a_new_connection_takes_the_role_and_is_told_again(cast: Any) -> None:
    with merchant_scope(cast.atelier.pk):
        connection.close()
        assert counted() == 3
    assert sum(isinstance(wrapper, row_security._Teller) for wrapper in connection.execute_wrappers) == 1


def test_a_wrapper_that_was_there_while_the_connection_opened_leaves_the_teller_in_place(cast: Any) -> None:
    connection.close()
    with connection.execute_wrapper(lambda execute, *rest: execute(*rest)):
        Merchant.objects.count()
    with merchant_scope(cast.atelier.pk):
        assert counted() == 3
