"""The ledger and the audit log can not be rewritten: PostgreSQL and SQLite refuse it whoever asks.

PostgreSQL refuses DELETE as well, but for the ledger of a merchant that is being deleted. SQLite can not tell, and has
to let rows go; it serves one machine, whose owner could edit the file anyway.
"""

from typing import Any

from django.db import migrations

LEDGER, AUDIT = "accounts_ledgerentry", "accounts_auditentry"

POSTGRES = f"""
CREATE FUNCTION imodel_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A person who is deleted leaves entries without their id, and nothing else changes.
    IF TG_OP = 'UPDATE' AND NEW.by_id IS NULL AND to_jsonb(NEW) - 'by_id' = to_jsonb(OLD) - 'by_id' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = '{LEDGER}' AND EXISTS (
        SELECT 1 FROM accounts_merchant WHERE id = (to_jsonb(OLD) ->> 'merchant_id')::uuid AND status = 'closing'
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""
SQLITE = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table}
WHEN NEW.by_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END
"""


def put_in_place(apps: Any, schema_editor: Any) -> None:
    """The triggers."""
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(POSTGRES)
        for table in (LEDGER, AUDIT):
            if schema_editor.connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION imodel_append_only()"
                )
            else:
                cursor.execute(SQLITE.format(table=table))


def take_away(apps: Any, schema_editor: Any) -> None:
    """For going back."""
    with schema_editor.connection.cursor() as cursor:
        for table in (LEDGER, AUDIT):
            if schema_editor.connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER append_only ON {table}")
            else:
                cursor.execute(f"DROP TRIGGER {table}_append_only")
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION imodel_append_only()")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_selling")]
    operations = [migrations.RunPython(put_in_place, take_away)]
