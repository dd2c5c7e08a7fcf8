"""Why a merchant rejected a picture, and shoots that make one again for nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("generation", "0008_fashn_runs")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="picture",
            name="review_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("garment", "The garment looks wrong"),
                    ("colour", "The colours are off"),
                    ("body", "Hands, arms or legs look wrong"),
                    ("face", "The face looks wrong"),
                    ("pose", "The pose does not suit"),
                    ("scene", "The background does not suit"),
                    ("other", "Something else"),
                ],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="shoot",
            name="made_as",
            field=models.CharField(
                choices=[
                    ("new", "new"),
                    ("again", "again"),
                    ("vary", "variation"),
                    ("replay", "replay"),
                    ("redo", "free retry"),
                ],
                default="new",
                max_length=6,
            ),
        ),
    ]
