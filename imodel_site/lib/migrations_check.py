"""Which migrations would stop the old code, or make it wait, while they run (the rules: docs/upgrades.md).

The old release serves on the new tables until it is replaced, and the new code's migrations run under its load. So what
it does not know must fill itself, what it still uses must stay, and nothing may hold a lock for long.

A migration that takes away what no release uses any more says so: ``unused_since = "1.4"`` in its class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

from imodel_site.lib.quiet_migrations import AddIndexQuietly, RemoveIndexQuietly

# Where the last release stood: tables that came later are used by nobody yet. Move it on with each release.
RELEASED = {"accounts": "0002_closing_asked_by", "catalog": "0003_garments_by_change", "generation": "0003_job_turns"}
# The last ones that were tried by hand, under load (docs/upgrades.md); what comes after them obeys.
TRIED = {"accounts": "0004_append_only", "catalog": "0004_selling", "generation": "0004_selling"}
TAKES_AWAY = (
    operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel,
    operations.AlterModelTable, operations.RemoveConstraint,
)  # fmt: skip
TABLES = (operations.CreateModel, operations.AddField, operations.AlterField)
Fault = str


def faults() -> list[Fault]:
    """Every broken rule, with the migration, the operation and what to write instead."""
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    used = set(loader.project_state(list(RELEASED.items())).models)
    wanted = sorted(key for key in loader.graph.nodes if key[0] in TRIED and key[1] > TRIED[key[0]])
    return [
        fault
        for key in wanted
        for fault in of_migration(loader.graph.nodes[key], loader.project_state(key, at_end=False), used)
    ]


def of_migration(migration: Migration, state: Any, used: Collection[tuple[str, str]]) -> Iterator[Fault]:
    """The faults of one migration.

    Args:
        migration: as its module has it.
        state: of the models before it; it is moved on.
        used: the models, as (app, name), whose tables the last release uses.
    """
    for operation in migration.operations:
        model = getattr(operation, "model_name_lower", None)
        if model is None or (migration.app_label, model) in used:
            for fault in _of_operation(operation, migration, state):
                yield f"{migration.app_label}.{migration.name}: {operation.describe()}: {fault}"
        operation.state_forwards(migration.app_label, state)
    yield from _mixed(migration)


def _of_operation(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    for kind, rule in RULES.items():
        if isinstance(operation, kind):
            yield from rule(operation, migration, state)


# --- the rules --------------------------------------------------------------------------------------------------------
def _added(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    field = operation.field
    if not (field.null or field.many_to_many) and field.db_default is NOT_PROVIDED:
        yield "the old code's inserts would fail: give it db_default, or null=True"
    if field.unique:
        yield "a unique column on a table with rows locks it while the index is built: add it, fill it, constrain it"


def _altered(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    was = state.models[migration.app_label, operation.model_name_lower].fields[operation.name_lower]
    field = operation.field
    if was.null and not field.null:
        yield "NOT NULL on a table with rows locks it for a scan: a check constraint NOT VALID first, validated later"
    if _kind(was) != _kind(field):
        yield "another type rewrites the table, and the old code writes the old one: add a column, move over, drop"
    elif (was.max_length or 0) > (field.max_length or 0):
        yield "a shorter text refuses what the old code writes"


def _kind(field: models.Field[Any, Any]) -> str:
    return field.get_internal_type()


def _takes_away(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    if not getattr(migration, "unused_since", ""):
        yield "the old code still uses it: take it out of the code first, and say unused_since in a later release"


def _indexed(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    if not isinstance(operation, AddIndexQuietly):
        yield "an index is built under a lock that stops all writes: use AddIndexQuietly"
    elif migration.atomic:
        yield "AddIndexQuietly needs atomic = False"


def _unindexed(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    if not isinstance(operation, RemoveIndexQuietly):
        yield "use RemoveIndexQuietly, which waits for nobody's transaction under a lock"
    elif migration.atomic:
        yield "RemoveIndexQuietly needs atomic = False"


def _constrained(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    yield "a constraint on a table with rows is checked under a lock: add it NOT VALID, validate it in a later one"


def _run(operation: Any, migration: Migration, state: Any) -> Iterator[Fault]:
    if not operation.reversible:
        yield "there is no way back: give reverse_code, or RunPython.noop where nothing is to be undone"


RULES: dict[Any, Callable[[Any, Migration, Any], Iterator[Fault]]] = {
    operations.AddField: _added,
    operations.AlterField: _altered,
    TAKES_AWAY: _takes_away,
    operations.AddIndex: _indexed,
    operations.RemoveIndex: _unindexed,
    operations.AddConstraint: _constrained,
    (operations.RunPython, operations.RunSQL): _run,
}


def _mixed(migration: Migration) -> Iterator[Fault]:
    """Rows that are moved in the transaction that changed the table keep everybody out until they are done."""
    moves = any(isinstance(operation, operations.RunPython) for operation in migration.operations)
    if moves and migration.atomic and any(isinstance(operation, TABLES) for operation in migration.operations):
        yield f"{migration.app_label}.{migration.name}: rows and tables in one transaction: make it two migrations"
