"""How a shoot was ordered, what a replay came to, and indexes for the bin and for tags."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_start")]

    operations = [
        migrations.RemoveIndex(model_name="picture", name="picture_deleted"),
        migrations.RemoveIndex(model_name="picturetag", name="picture_tag_name"),
        migrations.AddField(
            model_name="picture",
            name="same_bytes",
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name="shoot",
            name="made_as",
            field=models.CharField(
                choices=[("new", "new"), ("again", "again"), ("vary", "variation"), ("replay", "replay")],
                default="new",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="shoot",
            name="of_picture_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="picture",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["merchant", "-id"], name="picture_bin"
            ),
        ),
        migrations.AddIndex(
            model_name="picture",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["deleted_at"], name="picture_purge"
            ),
        ),
        migrations.AddIndex(
            model_name="picturetag",
            index=models.Index(fields=["merchant", "name", "-picture"], name="picture_tag_newest"),
        ),
        migrations.AddIndex(
            model_name="shoot",
            index=models.Index(fields=["merchant", "-id"], name="shoot_newest"),
        ),
    ]
