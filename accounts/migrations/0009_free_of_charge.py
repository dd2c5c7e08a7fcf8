"""The ledger may say that a job cost nothing; no statement reaches the database."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0008_webhooks_of_calls")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("monthly", "month's credits"),
                    ("grant", "granted"),
                    ("hold", "reserved"),
                    ("capture", "paid"),
                    ("release", "given back"),
                    ("free", "free of charge"),
                ],
                max_length=7,
            ),
        ),
    ]
