"""Every migration obeys the rules of docs/upgrades.md, and the rules catch what they are meant to catch."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from imodel_site.lib import migrations_check
from imodel_site.lib.quiet_migrations import AddIndexQuietly, RemoveIndexQuietly

pytestmark = pytest.mark.django_db
PLAIN = models.Index(fields=["used_bytes"], name="by_bytes")


def test_the_code_s_own_migrations_break_no_rule() -> None:
    assert migrations_check.faults() == []


def _faults(*operations: Any, **more: Any) -> list[str]:
    """Of a migration that would come next in accounts."""
    loader = MigrationLoader(connection)
    made = type("Migration", (migrations.Migration,), {"operations": list(operations), **more})("9999_next", "accounts")
    state = loader.project_state(("accounts", "0004_append_only"))
    return list(migrations_check.of_migration(made, state, {("accounts", "merchant"), ("accounts", "plan")}))


def _nothing(apps: Any, editor: Any) -> None:
    """Moves no row."""


BAD = {
    "inserts would fail": [migrations.AddField("merchant", "colour", models.CharField(max_length=9, default="red"))],
    "unique column": [migrations.AddField("merchant", "code", models.CharField(max_length=9, null=True, unique=True))],
    "still uses it": [migrations.RemoveField("merchant", "name")],
    "still uses it: take": [migrations.RenameField("merchant", "name", "title")],
    "still uses it: take it": [migrations.DeleteModel("Plan")],
    "NOT NULL": [migrations.AlterField("merchant", "plan", models.ForeignKey("accounts.plan", models.PROTECT))],
    "another type": [migrations.AlterField("merchant", "name", models.TextField())],
    "shorter text": [migrations.AlterField("merchant", "name", models.CharField(max_length=5))],
    "use AddIndexQuietly": [migrations.AddIndex("merchant", PLAIN)],
    "AddIndexQuietly needs": [AddIndexQuietly("merchant", PLAIN)],
    "NOT VALID": [
        migrations.AddConstraint("merchant", models.UniqueConstraint(fields=["name"], name="merchant_name_once"))
    ],
    "no way back": [migrations.RunPython(_nothing)],
    "two migrations": [
        migrations.AddField("merchant", "colour", models.CharField(max_length=9, null=True)),
        migrations.RunPython(_nothing, migrations.RunPython.noop),
    ],
}


@pytest.mark.parametrize("says", BAD)
def test_what_would_hurt_the_old_code_is_named(says: str) -> None:
    found = _faults(*BAD[says])
    assert len(found) == 1 and says in found[0], found


def test_what_the_rules_ask_for_passes() -> None:
    assert not _faults(migrations.AddField("merchant", "colour", models.CharField(max_length=9, db_default="red")))
    assert not _faults(migrations.AddField("merchant", "colour", models.CharField(max_length=9, null=True)))
    assert not _faults(AddIndexQuietly("merchant", PLAIN), atomic=False)
    assert not _faults(migrations.RemoveField("merchant", "name"), unused_since="1.4")
    assert not _faults(
        migrations.CreateModel("Hat", [("id", models.AutoField(primary_key=True)), ("size", models.IntegerField())]),
        migrations.AddIndex("hat", models.Index(fields=["size"], name="hat_size")),
        migrations.AddConstraint("hat", models.UniqueConstraint(fields=["size"], name="hat_once")),
    )


@pytest.mark.django_db(transaction=True)
def test_an_index_is_added_and_taken_away_quietly_on_either_database() -> None:
    """For real, on the tables of the tests."""
    from accounts.row_security import as_owner

    state = MigrationLoader(connection).project_state()
    table = state.apps.get_model("accounts", "Merchant")._meta.db_table
    add, remove = AddIndexQuietly("merchant", PLAIN), RemoveIndexQuietly("merchant", "by_bytes")
    after = state.clone()
    add.state_forwards("accounts", after)
    with as_owner(connection) if connection.vendor == "postgresql" else connection.schema_editor(atomic=False):
        with connection.schema_editor(atomic=False) as editor:
            add.database_forwards("accounts", editor, state, after)
        assert "by_bytes" in _indexes(table)
        with connection.schema_editor(atomic=False) as editor:
            remove.database_forwards("accounts", editor, after, state)
    assert "by_bytes" not in _indexes(table)


def _indexes(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, table))
