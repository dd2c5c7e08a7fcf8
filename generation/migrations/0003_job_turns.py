"""Indexes by which claims let merchants take turns (docs/jobs.md)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0002_made_as_and_bins")]

    operations = [
        migrations.AddIndex(
            model_name="shoot",
            index=models.Index(
                condition=models.Q(("status", "queued")),
                fields=["merchant", "-priority", "queued_at"],
                name="shoot_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="shoot",
            index=models.Index(fields=["merchant", "-started_at"], name="shoot_turns"),
        ),
    ]
