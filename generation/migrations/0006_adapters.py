"""Which version of a garment's adapter a shoot is made with."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("generation", "0005_batch_finishes")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="shoot",
            name="adapter_version",
            field=models.UUIDField(blank=True, null=True),
        ),
    ]
