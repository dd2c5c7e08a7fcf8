"""What staff read above lists and beside fields; no statement reaches the database."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_audit_log_by_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="deletionreport",
            options={"verbose_name": "deletion report", "verbose_name_plural": "deletion reports"},
        ),
        migrations.AlterModelOptions(
            name="merchant",
            options={"verbose_name": "shop", "verbose_name_plural": "shops"},
        ),
        migrations.AlterModelOptions(
            name="plan",
            options={"verbose_name": "plan", "verbose_name_plural": "plans"},
        ),
        migrations.AlterModelOptions(
            name="user",
            options={"verbose_name": "person", "verbose_name_plural": "people"},
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(
                help_text="picture.rejected, merchant.suspended, credits.granted, ...",
                max_length=40,
                verbose_name="action",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="by_email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="who"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="when"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="merchant_id",
            field=models.UUIDField(blank=True, db_index=True, null=True, verbose_name="shop"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="note",
            field=models.CharField(blank=True, max_length=500, verbose_name="note"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="reason",
            field=models.CharField(blank=True, help_text="code of a reason", max_length=40, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject_id",
            field=models.UUIDField(blank=True, db_index=True, null=True, verbose_name="id"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject_kind",
            field=models.CharField(blank=True, max_length=20, verbose_name="about"),
        ),
        migrations.AlterField(
            model_name="deletionreport",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="when"),
        ),
        migrations.AlterField(
            model_name="deletionreport",
            name="merchant_name",
            field=models.CharField(max_length=120, verbose_name="shop"),
        ),
        migrations.AlterField(
            model_name="merchant",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="here since"),
        ),
        migrations.AlterField(
            model_name="merchant",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.plan",
                verbose_name="plan",
            ),
        ),
        migrations.AlterField(
            model_name="merchant",
            name="status",
            field=models.CharField(
                choices=[("active", "active"), ("suspended", "suspended"), ("closing", "being deleted")],
                default="active",
                max_length=12,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="merchant",
            name="used_bytes",
            field=models.BigIntegerField(default=0, verbose_name="bytes in use"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="name",
            field=models.SlugField(max_length=40, primary_key=True, serialize=False, verbose_name="key"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="position",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="place in the list"),
        ),
    ]
