"""Data sets, trainings, adapters and grids."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import imodel_site.lib.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0009_free_of_charge"),
        ("catalog", "0007_feeds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TrainingSet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "trigger",
                    models.CharField(help_text="the word that stands for this garment and nothing else", max_length=40),
                ),
                (
                    "mirrored",
                    models.BooleanField(
                        default=True, help_text="its mirror image is the same garment, and is learned too"
                    ),
                ),
                ("edition", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "garment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="training_sets", to="catalog.garment"
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["merchant", "garment", "-id"], name="trainingset_newest")],
            },
        ),
        migrations.CreateModel(
            name="Adapter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("family", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=200)),
                ("numbered", models.PositiveIntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "garment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="adapters",
                        to="catalog.garment",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("garment__isnull", False)),
                        fields=("garment", "family"),
                        name="adapter_once_per_garment",
                    )
                ],
                "indexes": [models.Index(fields=["merchant", "-id"], name="adapter_newest")],
            },
        ),
        migrations.CreateModel(
            name="AdapterVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "source",
                    models.CharField(
                        choices=[("trained", "trained here"), ("uploaded", "uploaded")], default="trained", max_length=8
                    ),
                ),
                ("step", models.PositiveIntegerField(blank=True, null=True)),
                ("key", models.CharField(help_text="safetensors; storage key", max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("trigger", models.CharField(blank=True, max_length=40)),
                (
                    "noun",
                    models.CharField(blank=True, help_text="what kind of garment a prompt calls it", max_length=80),
                ),
                ("weight", models.FloatField(default=1.0, help_text="what a shoot uses unless it says otherwise")),
                (
                    "weight_from",
                    models.CharField(
                        blank=True,
                        choices=[("", "nobody yet"), ("grid", "a grid"), ("merchant", "the merchant")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("similarity", models.FloatField(blank=True, null=True)),
                ("validation_loss", models.FloatField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("promoted", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "adapter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="training.adapter"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("promoted", True)), fields=("adapter",), name="adapter_promoted_once"
                    ),
                    models.UniqueConstraint(fields=("adapter", "number"), name="adapter_version_number"),
                ],
                "indexes": [models.Index(fields=["merchant", "-id"], name="adapter_version_newest")],
            },
        ),
        migrations.CreateModel(
            name="AdapterUpload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("paused", "paused"),
                            ("running", "running"),
                            ("succeeded", "finished"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, help_text="higher is sooner, within one merchant")),
                ("token", models.PositiveIntegerField(default=0)),
                ("losses", models.PositiveSmallIntegerField(default=0, help_text="workers lost without progress")),
                ("first_loss_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("stage", models.CharField(blank=True, max_length=40)),
                ("fraction", models.FloatField(default=0.0)),
                ("progressed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_message", models.TextField(blank=True, help_text="for the merchant")),
                ("error_retryable", models.BooleanField(default=False)),
                ("idempotency_key", models.CharField(blank=True, max_length=128, null=True)),
                ("request_hash", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("family", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=200)),
                ("key", models.CharField(help_text="as it came; storage key", max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("trigger", models.CharField(blank=True, max_length=40)),
                ("note", models.CharField(blank=True, max_length=500)),
                (
                    "garment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="catalog.garment",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="training.adapterversion",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "idempotency_key"), name="adapterupload_once_by_key")
                ],
                "indexes": [
                    models.Index(fields=["merchant", "-started_at"], name="adapterupload_turns"),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["merchant", "-priority", "queued_at"],
                        name="adapterupload_waiting",
                    ),
                    models.Index(fields=["merchant", "status", "-id"], name="adapterupload_of_merchant"),
                    models.Index(fields=["status", "queued_at"], name="adapterupload_queue"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("paused", "paused"),
                            ("running", "running"),
                            ("succeeded", "finished"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, help_text="higher is sooner, within one merchant")),
                ("token", models.PositiveIntegerField(default=0)),
                ("losses", models.PositiveSmallIntegerField(default=0, help_text="workers lost without progress")),
                ("first_loss_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("stage", models.CharField(blank=True, max_length=40)),
                ("fraction", models.FloatField(default=0.0)),
                ("progressed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_message", models.TextField(blank=True, help_text="for the merchant")),
                ("error_retryable", models.BooleanField(default=False)),
                ("idempotency_key", models.CharField(blank=True, max_length=128, null=True)),
                ("request_hash", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("order", models.JSONField(default=dict)),
                ("price", models.PositiveIntegerField(default=0)),
                (
                    "automatic",
                    models.BooleanField(
                        default=False, help_text="made by itself when the training ended, at its price"
                    ),
                ),
                ("cells_total", models.PositiveIntegerField(default=0)),
                (
                    "best",
                    models.PositiveIntegerField(blank=True, help_text="the cell that the scores are for", null=True),
                ),
                (
                    "picked",
                    models.PositiveIntegerField(blank=True, help_text="the cell that the merchant is for", null=True),
                ),
                ("papers", models.JSONField(default=dict)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "picked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "idempotency_key"), name="comparison_once_by_key")
                ],
                "indexes": [
                    models.Index(fields=["merchant", "-id"], name="comparison_newest"),
                    models.Index(fields=["merchant", "-started_at"], name="comparison_turns"),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["merchant", "-priority", "queued_at"],
                        name="comparison_waiting",
                    ),
                    models.Index(fields=["merchant", "status", "-id"], name="comparison_of_merchant"),
                    models.Index(fields=["status", "queued_at"], name="comparison_queue"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ComparisonCell",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("x", models.PositiveSmallIntegerField(default=0)),
                ("y", models.PositiveSmallIntegerField(default=0)),
                ("z", models.PositiveSmallIntegerField(default=0)),
                ("weight", models.FloatField(default=1.0)),
                (
                    "step",
                    models.PositiveIntegerField(help_text="of the checkpoint; null for the base alone", null=True),
                ),
                ("seed", models.BigIntegerField(default=0)),
                ("key", models.CharField(help_text="a WebP; storage key", max_length=200)),
                ("score", models.FloatField(null=True)),
                (
                    "comparison",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="cells", to="training.comparison"
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("comparison", "number"), name="comparison_cell_once")],
            },
        ),
        migrations.CreateModel(
            name="Promotion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("back", models.BooleanField(default=False, help_text="it was a step back")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "adapter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="promotions", to="training.adapter"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="promotions",
                        to="training.adapterversion",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["adapter", "-id"], name="promotion_newest")],
            },
        ),
        migrations.CreateModel(
            name="Training",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("paused", "paused"),
                            ("running", "running"),
                            ("succeeded", "finished"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, help_text="higher is sooner, within one merchant")),
                ("token", models.PositiveIntegerField(default=0)),
                ("losses", models.PositiveSmallIntegerField(default=0, help_text="workers lost without progress")),
                ("first_loss_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("stage", models.CharField(blank=True, max_length=40)),
                ("fraction", models.FloatField(default=0.0)),
                ("progressed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_message", models.TextField(blank=True, help_text="for the merchant")),
                ("error_retryable", models.BooleanField(default=False)),
                ("idempotency_key", models.CharField(blank=True, max_length=128, null=True)),
                ("request_hash", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("family", models.CharField(max_length=40)),
                ("trigger", models.CharField(max_length=40)),
                ("order", models.JSONField(default=dict)),
                ("of_version_id", models.UUIDField(blank=True, null=True)),
                ("price", models.PositiveIntegerField(default=0, help_text="credits reserved while it waits and runs")),
                ("steps_total", models.PositiveIntegerField(default=0)),
                ("steps_done", models.PositiveIntegerField(default=0)),
                ("step_seconds", models.FloatField(blank=True, help_text="of one step, lately", null=True)),
                (
                    "memory_bytes",
                    models.BigIntegerField(blank=True, help_text="the most that the device held", null=True),
                ),
                (
                    "resumed",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="how often it went on after a worker was lost"
                    ),
                ),
                ("save_asked", models.BooleanField(default=False)),
                ("sample_asked", models.BooleanField(default=False)),
                ("stop_asked_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_early", models.BooleanField(default=False)),
                ("choice", models.JSONField(default=dict)),
                (
                    "chosen_step",
                    models.PositiveIntegerField(blank=True, help_text="the studio's, or the merchant's own", null=True),
                ),
                ("overruled", models.BooleanField(default=False)),
                (
                    "chosen_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "garment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trainings",
                        to="catalog.garment",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trainings",
                        to="training.trainingset",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "idempotency_key"), name="training_once_by_key")
                ],
                "indexes": [
                    models.Index(fields=["merchant", "garment", "-id"], name="training_of_garment"),
                    models.Index(fields=["merchant", "-id"], name="training_newest"),
                    models.Index(fields=["merchant", "-started_at"], name="training_turns"),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["merchant", "-priority", "queued_at"],
                        name="training_waiting",
                    ),
                    models.Index(fields=["merchant", "status", "-id"], name="training_of_merchant"),
                    models.Index(fields=["status", "queued_at"], name="training_queue"),
                ],
            },
        ),
        migrations.AddField(
            model_name="comparison",
            name="training",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="comparisons", to="training.training"
            ),
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("step", models.PositiveIntegerField()),
                ("key", models.CharField(help_text="the adapter in diffusers' layout; storage key", max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                (
                    "state",
                    models.JSONField(
                        default=dict, help_text="storage keys of what a resumed run needs besides, by file name"
                    ),
                ),
                ("train_loss", models.FloatField(null=True)),
                ("smoothed_loss", models.FloatField(null=True)),
                ("validation_loss", models.FloatField(null=True)),
                ("similarity", models.FloatField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "training",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="checkpoints", to="training.training"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("training", "step"), name="checkpoint_once")],
            },
        ),
        migrations.AddField(
            model_name="adapterversion",
            name="training",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="versions",
                to="training.training",
            ),
        ),
        migrations.CreateModel(
            name="TrainingNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=64)),
                ("params", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "training",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="training.training"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["training", "id"], name="training_note_order")],
            },
        ),
        migrations.CreateModel(
            name="TrainingPoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.PositiveIntegerField()),
                ("loss", models.FloatField(null=True)),
                ("smoothed", models.FloatField(null=True)),
                ("validation", models.FloatField(null=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "training",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="points", to="training.training"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("training", "step"), name="training_point_once")],
            },
        ),
        migrations.CreateModel(
            name="TrainingSample",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("step", models.PositiveIntegerField()),
                ("number", models.PositiveSmallIntegerField(help_text="among the samples of its step")),
                ("seed", models.BigIntegerField(default=0)),
                ("key", models.CharField(help_text="a WebP; storage key", max_length=200)),
                (
                    "similarity",
                    models.FloatField(help_text="to the garment on the pictures that were held out, 0 to 1", null=True),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "training",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="samples", to="training.training"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("training", "step", "number"), name="training_sample_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrainingPicture",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("garment", "shows the garment"),
                            ("prior", "shows others, so that these are not forgotten"),
                        ],
                        default="garment",
                        max_length=7,
                    ),
                ),
                (
                    "crop",
                    models.JSONField(
                        blank=True, help_text="[left, top, right, bottom] in pixels of the asset", null=True
                    ),
                ),
                (
                    "view",
                    models.CharField(
                        choices=[("unsure", "not sure"), ("front", "Front"), ("side", "Side"), ("back", "Back")],
                        default="unsure",
                        max_length=6,
                    ),
                ),
                ("view_by_hand", models.BooleanField(default=False)),
                ("caption", models.TextField(blank=True)),
                ("caption_by_hand", models.BooleanField(default=False)),
                (
                    "mask_key",
                    models.CharField(
                        blank=True, help_text="the proposed garment of this crop; storage key", max_length=200
                    ),
                ),
                ("left_out", models.BooleanField(default=False)),
                ("held_out", models.BooleanField(default=False, help_text="not learned from, but compared with")),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.asset"
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "photo",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="catalog.garmentphoto",
                    ),
                ),
                (
                    "set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pictures", to="training.trainingset"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["set", "position", "id"], name="trainingpicture_order")],
            },
        ),
        migrations.CreateModel(
            name="SetArchive",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("paused", "paused"),
                            ("running", "running"),
                            ("succeeded", "finished"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, help_text="higher is sooner, within one merchant")),
                ("token", models.PositiveIntegerField(default=0)),
                ("losses", models.PositiveSmallIntegerField(default=0, help_text="workers lost without progress")),
                ("first_loss_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("stage", models.CharField(blank=True, max_length=40)),
                ("fraction", models.FloatField(default=0.0)),
                ("progressed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_message", models.TextField(blank=True, help_text="for the merchant")),
                ("error_retryable", models.BooleanField(default=False)),
                ("idempotency_key", models.CharField(blank=True, max_length=128, null=True)),
                ("request_hash", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("way", models.CharField(choices=[("out", "out"), ("in", "in")], default="out", max_length=3)),
                ("edition", models.PositiveIntegerField(default=0, help_text="of the set that was packed")),
                ("name", models.CharField(max_length=200)),
                ("key", models.CharField(blank=True, help_text="the zip; storage key", max_length=200)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("assets", models.JSONField(default=list)),
                (
                    "taken",
                    models.PositiveIntegerField(
                        default=0, help_text="pictures that are in it, or were taken out of it"
                    ),
                ),
                ("skipped", models.JSONField(default=list, help_text="names of files that are no part of a set")),
                (
                    "garment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.garment"
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="archives",
                        to="training.trainingset",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "idempotency_key"), name="setarchive_once_by_key")
                ],
                "indexes": [
                    models.Index(fields=["merchant", "-id"], name="setarchive_newest"),
                    models.Index(fields=["merchant", "-started_at"], name="setarchive_turns"),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["merchant", "-priority", "queued_at"],
                        name="setarchive_waiting",
                    ),
                    models.Index(fields=["merchant", "status", "-id"], name="setarchive_of_merchant"),
                    models.Index(fields=["status", "queued_at"], name="setarchive_queue"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Preflight",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=imodel_site.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("paused", "paused"),
                            ("running", "running"),
                            ("succeeded", "finished"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0, help_text="higher is sooner, within one merchant")),
                ("token", models.PositiveIntegerField(default=0)),
                ("losses", models.PositiveSmallIntegerField(default=0, help_text="workers lost without progress")),
                ("first_loss_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=80)),
                ("stage", models.CharField(blank=True, max_length=40)),
                ("fraction", models.FloatField(default=0.0)),
                ("progressed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error_message", models.TextField(blank=True, help_text="for the merchant")),
                ("error_retryable", models.BooleanField(default=False)),
                ("idempotency_key", models.CharField(blank=True, max_length=128, null=True)),
                ("request_hash", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("edition", models.PositiveIntegerField(default=0, help_text="of the set that was looked at")),
                ("found", models.JSONField(default=dict)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preflights",
                        to="training.trainingset",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "idempotency_key"), name="preflight_once_by_key")
                ],
                "indexes": [
                    models.Index(fields=["merchant", "-started_at"], name="preflight_turns"),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["merchant", "-priority", "queued_at"],
                        name="preflight_waiting",
                    ),
                    models.Index(fields=["merchant", "status", "-id"], name="preflight_of_merchant"),
                    models.Index(fields=["status", "queued_at"], name="preflight_queue"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrainingSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.asset"
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.merchant"
                    ),
                ),
                (
                    "training",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="training.training",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="training.adapterversion",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("version", "asset"), name="version_source_once"),
                    models.UniqueConstraint(fields=("training", "asset"), name="training_source_once"),
                ],
            },
        ),
    ]
