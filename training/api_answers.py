"""What the API says of trainings, adapters and grids: the documented shape of its answers (docs/api.md)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import Bearers
from training import grids, progress, words
from training.models import (
    Adapter,
    AdapterUpload,
    AdapterVersion,
    Checkpoint,
    Comparison,
    ComparisonCell,
    Training,
    TrainingSample,
)
from training.models.grids import Axis


class JobErrorSerializer(serializers.Serializer[Any]):
    """Why a job failed."""

    code = serializers.CharField()
    message = serializers.CharField()
    retryable = serializers.BooleanField()


class FarSerializer(serializers.Serializer[Any]):
    """How far a job is."""

    stage = serializers.CharField(help_text="In words.")
    fraction = serializers.FloatField(allow_null=True, help_text="0 to 1; null while it waits.")
    position = serializers.IntegerField(allow_null=True, help_text="In the queue; null unless it waits.")
    eta_seconds = serializers.IntegerField(allow_null=True, help_text="Until it is done; null when nobody knows.")


def far(row: Any) -> dict[str, Any]:
    told = progress.of_job(row)
    return {name: told[name] for name in ("stage", "fraction", "position", "eta_seconds")}


def url_of(bearers: Bearers, row: Any, variant: str, training: Any) -> str | None:
    """An address that opens for some minutes; null while moderation holds back what it came from."""
    from training.media import is_open

    return bearers.of(row, [variant]).get(variant) if is_open(training, True) else None


def url_of_version(bearers: Bearers, row: AdapterVersion, variant: str) -> str | None:
    """As :func:`url_of`."""
    from training.media import is_version_open

    return bearers.of(row, [variant]).get(variant) if is_version_open(row, True) else None


class JobFields(serializers.Serializer[Any]):
    """What every job of this room tells."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    error = serializers.SerializerMethodField(help_text="Of a failed one.")
    progress = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, row: Any) -> dict[str, Any] | None:
        """The reason, in the reader's words."""
        if row.status != Status.FAILED:
            return None
        message = words.failure(row.error_code, row.error_message)
        return {"code": row.error_code, "message": message, "retryable": row.error_retryable}

    @extend_schema_field(FarSerializer)
    def get_progress(self, row: Any) -> dict[str, Any]:
        """See :class:`FarSerializer`."""
        return far(row)


# --- trainings -------------------------------------------------------------------------------------------------------
class ChoiceSerializer(serializers.Serializer[Any]):
    """Which checkpoint the studio chose, and why."""

    best = serializers.IntegerField(allow_null=True, help_text="Its step.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Codes.")
    overtrained_from = serializers.IntegerField(allow_null=True, help_text="The step from which it did harm.")
    flags = serializers.ListField(child=serializers.CharField(), help_text="Codes; loss_line_reached is no judge.")
    words = serializers.ListField(child=serializers.CharField(), help_text="All of it in sentences.")


class TrainingSerializer(JobFields):
    """A training: what was ordered, how far it is, what became of it."""

    garment = serializers.UUIDField(source="garment_id", allow_null=True)
    set = serializers.UUIDField(source="set_id", allow_null=True)
    family = serializers.CharField(help_text="Of weights.")
    trigger = serializers.CharField()
    begun_from = serializers.UUIDField(
        source="of_version_id", allow_null=True, help_text="The version whose weights it began with; null: begun anew."
    )
    price = serializers.IntegerField(help_text="Credits reserved.")
    steps_total = serializers.IntegerField()
    steps_done = serializers.IntegerField()
    memory_bytes = serializers.IntegerField(allow_null=True, help_text="The most that the device held.")
    resumed = serializers.IntegerField(help_text="How often it went on after a worker was lost.")
    stopped_early = serializers.BooleanField()
    chosen_step = serializers.IntegerField(allow_null=True, help_text="Of the checkpoint in use.")
    overruled = serializers.BooleanField(help_text="Somebody chose another one than the studio did.")
    choice = serializers.SerializerMethodField()

    @extend_schema_field(ChoiceSerializer(allow_null=True))
    def get_choice(self, row: Training) -> dict[str, Any] | None:
        """Null until it has ended well."""
        if not row.choice:
            return None
        late = words.overtrained(row.choice)
        said = [*words.reasons(row.choice), *([late] if late else []), *words.flags(row.choice)]
        return {
            "best": row.choice.get("best"),
            "reasons": list(row.choice.get("reasons") or ()),
            "overtrained_from": row.choice.get("overtrained_from"),
            "flags": list(row.choice.get("flags") or ()),
            "words": said,
        }


class CheckpointSerializer(serializers.Serializer[Checkpoint]):
    """What a training had learned at a step."""

    id = serializers.UUIDField()
    step = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    train_loss = serializers.FloatField(allow_null=True)
    smoothed_loss = serializers.FloatField(allow_null=True)
    validation_loss = serializers.FloatField(allow_null=True, help_text="On the pictures held out.")
    similarity = serializers.FloatField(allow_null=True, help_text="Of its samples to the garment, 0 to 1.")
    url = serializers.SerializerMethodField(
        help_text="The file, for some minutes; null while held back, and until the training has succeeded."
    )

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, row: Checkpoint) -> str | None:
        """See :func:`url_of`; what is not paid for is not handed out."""
        paid = row.training.status == Status.SUCCEEDED
        return url_of(self.context["bearers"], row, "adapter", row.training) if paid else None


class SampleSerializer(serializers.Serializer[TrainingSample]):
    """A picture painted on the way."""

    step = serializers.IntegerField()
    number = serializers.IntegerField()
    seed = serializers.IntegerField()
    similarity = serializers.FloatField(allow_null=True)
    url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, row: TrainingSample) -> str | None:
        """See :func:`url_of`."""
        return url_of(self.context["bearers"], row, "picture", row.training)


class PointSerializer(serializers.Serializer[Any]):
    """A step of the curves."""

    step = serializers.IntegerField()
    loss = serializers.FloatField(allow_null=True)
    smoothed = serializers.FloatField(allow_null=True)
    validation = serializers.FloatField(allow_null=True)


class NoteSerializer(serializers.Serializer[Any]):
    """A line of the log."""

    code = serializers.CharField()
    words = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_words(self, row: Any) -> str:
        """In the reader's language."""
        return words.note(row.code, row.params)


class CurvesSerializer(serializers.Serializer[Any]):
    """Everything that was told on the way."""

    points = PointSerializer(many=True)
    samples = SampleSerializer(many=True)
    log = NoteSerializer(many=True)


# --- grids -----------------------------------------------------------------------------------------------------------
class AxisSerializer(serializers.Serializer[Any]):
    """One setting of a grid and its values."""

    name = serializers.ChoiceField(choices=Axis.choices)
    values = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=grids.MOST_CELLS)


class CellSerializer(serializers.Serializer[ComparisonCell]):
    """One picture of a grid."""

    number = serializers.IntegerField()
    x = serializers.IntegerField(help_text="Its place on each axis.")
    y = serializers.IntegerField()
    z = serializers.IntegerField()
    weight = serializers.FloatField()
    step = serializers.IntegerField(allow_null=True, help_text="Of the checkpoint; null: the base alone.")
    seed = serializers.IntegerField()
    score = serializers.FloatField(allow_null=True, help_text="Likeness to the garment, 0 to 1.")
    url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, row: ComparisonCell) -> str | None:
        """See :func:`url_of`."""
        return url_of(self.context["bearers"], row, "picture", row.comparison.training)


class ComparisonSerializer(JobFields):
    """A grid."""

    training = serializers.UUIDField(source="training_id")
    axes = AxisSerializer(many=True, source="order.axes")
    price = serializers.IntegerField()
    cells_total = serializers.IntegerField()
    automatic = serializers.BooleanField(help_text="Came with the training.")
    best = serializers.IntegerField(allow_null=True, help_text="The cell that the scores are for.")
    picked = serializers.IntegerField(allow_null=True, help_text="The cell that somebody chose instead.")


class WholeComparisonSerializer(ComparisonSerializer):
    """With its cells, and the whole of it as one picture and as a table."""

    cells = CellSerializer(many=True, source="shown_cells")
    sheet = serializers.SerializerMethodField(help_text="One labelled picture.")
    csv = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_sheet(self, row: Comparison) -> str | None:
        """See :func:`url_of`."""
        return url_of(self.context["bearers"], row, "sheet", row.training) if row.papers.get("sheet") else None

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_csv(self, row: Comparison) -> str | None:
        """See :func:`url_of`."""
        return url_of(self.context["bearers"], row, "csv", row.training) if row.papers.get("csv") else None


# --- adapters --------------------------------------------------------------------------------------------------------
class VersionSerializer(serializers.Serializer[AdapterVersion]):
    """A version of an adapter."""

    id = serializers.UUIDField()
    adapter = serializers.UUIDField(source="adapter_id")
    number = serializers.IntegerField()
    source = serializers.ChoiceField(choices=AdapterVersion.Source.choices)
    training = serializers.UUIDField(source="training_id", allow_null=True)
    step = serializers.IntegerField(allow_null=True)
    trigger = serializers.CharField(help_text="The word that prompts need.")
    noun = serializers.CharField()
    weight = serializers.FloatField(help_text="What shoots use unless they say otherwise.")
    note = serializers.CharField()
    promoted = serializers.BooleanField(help_text="Whether it is the one in use.")
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    url = serializers.SerializerMethodField(help_text="The safetensors file, for some minutes; null while held back.")
    kohya_url = serializers.SerializerMethodField(help_text="The same in kohya's layout, as other programs want it.")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, row: AdapterVersion) -> str | None:
        """See :func:`url_of`."""
        return url_of_version(self.context["bearers"], row, "adapter")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_kohya_url(self, row: AdapterVersion) -> str | None:
        """See :func:`url_of`."""
        return url_of_version(self.context["bearers"], row, "kohya")


class AdapterSerializer(serializers.Serializer[Adapter]):
    """What a garment was trained for."""

    id = serializers.UUIDField()
    garment = serializers.UUIDField(source="garment_id", allow_null=True)
    family = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    versions = VersionSerializer(many=True, source="shown_versions")


class UploadSerializer(JobFields):
    """A file that was brought along, and the version that became of it."""

    garment = serializers.UUIDField(source="garment_id", allow_null=True)
    family = serializers.CharField()
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    version = serializers.SerializerMethodField()

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_version(self, row: AdapterUpload) -> Any:
        """Null until it was checked."""
        return row.version_id
