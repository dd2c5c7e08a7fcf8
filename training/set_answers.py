"""Sets and their checks as the API tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from training import words
from training.api_answers import JobFields
from training.models import (
    PictureKind,
    Preflight,
    TrainingPicture,
    TrainingSet,
    View,
)


class SetPictureSerializer(serializers.Serializer[TrainingPicture]):
    """A picture of a set."""

    id = serializers.UUIDField()
    photo = serializers.UUIDField(source="photo_id", allow_null=True, help_text="Of the garment; null for an upload.")
    kind = serializers.ChoiceField(choices=PictureKind.choices, help_text="prior: shows others than the garment.")
    crop = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="Left, top, right, bottom in pixels; null: all."
    )
    view = serializers.ChoiceField(choices=View.choices)
    caption = serializers.CharField()
    left_out = serializers.BooleanField(help_text="Takes no part.")
    held_out = serializers.BooleanField(help_text="Not learned from, but compared with.")


class ProblemSerializer(serializers.Serializer[Any]):
    """Something that the check found."""

    code = serializers.CharField()
    message = serializers.CharField()
    remedy = serializers.CharField(help_text="What to do about it.")
    severity = serializers.ChoiceField(choices=["stop", "warn", "info"], help_text="stop: nothing starts before.")
    pictures = serializers.ListField(child=serializers.UUIDField(), help_text="Which; empty for the set as a whole.")


class PreflightSerializer(JobFields):
    """The check of a set."""

    current = serializers.SerializerMethodField(help_text="Whether it saw the set as it is now.")
    problems = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField(help_text="That are advised; null before it is done.")
    seconds = serializers.SerializerMethodField(help_text="That they would take; null when nobody knows.")
    crops = serializers.SerializerMethodField(help_text="Proposed parts by picture; see /crops.")

    def get_current(self, row: Preflight) -> bool:
        """By the set's edition."""
        return bool(row.edition == row.set.edition)

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, row: Preflight) -> list[dict[str, Any]]:
        """In the reader's words."""
        return [words.problem(one) for one in row.found.get("problems", ())]

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_steps(self, row: Preflight) -> Any:
        """The plan's."""
        return row.found.get("steps")

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_seconds(self, row: Preflight) -> Any:
        """As the studio predicts."""
        return row.found.get("seconds")

    @extend_schema_field(
        serializers.DictField(
            child=serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
        )
    )
    def get_crops(self, row: Preflight) -> dict[str, Any]:
        """Boxes, by picture."""
        found = row.found.get("pictures", ())
        return {one["id"]: [crop["box"] for crop in one["crops"]] for one in found if one["crops"]}


class SetSerializer(serializers.Serializer[TrainingSet]):
    """The pictures that a garment's next training learns from."""

    id = serializers.UUIDField()
    garment = serializers.UUIDField(source="garment_id")
    trigger = serializers.CharField(help_text="The word that stands for the garment in captions and prompts.")
    mirrored = serializers.BooleanField(help_text="Whether mirror images are learned too.")
    edition = serializers.IntegerField(help_text="Raised by every change.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WholeSetSerializer(SetSerializer):
    """With its pictures and the last check."""

    pictures = SetPictureSerializer(many=True, source="shown_pictures")
    preflight = serializers.SerializerMethodField()

    @extend_schema_field(PreflightSerializer(allow_null=True))
    def get_preflight(self, row: TrainingSet) -> Any:
        """The newest."""
        found = Preflight.objects.filter(set=row).select_related("set").order_by("-id").first()
        return PreflightSerializer(found, context=self.context).data if found else None
