"""Indexes by which claims let merchants take turns (docs/jobs.md)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_start")]

    operations = [
        migrations.AddIndex(
            model_name="look",
            index=models.Index(
                condition=models.Q(("status", "queued")),
                fields=["merchant", "-priority", "queued_at"],
                name="look_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="look",
            index=models.Index(fields=["merchant", "-started_at"], name="look_turns"),
        ),
        migrations.AddIndex(
            model_name="catalogimport",
            index=models.Index(
                condition=models.Q(("status", "queued")),
                fields=["merchant", "-priority", "queued_at"],
                name="catalogimport_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="catalogimport",
            index=models.Index(fields=["merchant", "-started_at"], name="catalogimport_turns"),
        ),
    ]
