"""How often a batch was finished, so that each finish is told once."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("generation", "0004_selling")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="batch",
            name="finishes",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="how often its last shoot ended: again after failed ones were tried again",
            ),
        ),
    ]
