"""``/api/v1/training-set-archives``: sets as zips in kohya's layout, out and in (docs/api.md)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from imodel_site.api import ReadOnlyMerchantViewSet, register
from training.api_answers import JobFields
from training.models import SetArchive
from training.services import archives


class NewArchive(serializers.Serializer[Any]):
    """A file (multipart/form-data)."""

    file = serializers.FileField(help_text="A zip of a set in kohya's layout, of at most 512 MB.")
    garment = serializers.UUIDField(help_text="Whose set it becomes.")


class ArchiveSerializer(JobFields):
    """A set as a zip, on its way out or in."""

    way = serializers.ChoiceField(choices=SetArchive.Way.choices)
    garment = serializers.UUIDField(source="garment_id")
    set = serializers.UUIDField(source="set_id", allow_null=True, help_text="Of one that came in: null until made.")
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    taken = serializers.IntegerField(help_text="Pictures that are in it, or were taken out of it.")
    skipped = serializers.ListField(child=serializers.CharField(), help_text="Files that are no part of a set.")
    url = serializers.SerializerMethodField(help_text="The zip, for some minutes; null for one that came in.")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, row: SetArchive) -> str | None:
        """Null too while moderation holds back a picture in it, and a week after it was made."""
        out = row.way == SetArchive.Way.OUT and row.key and row.kept and archives.open_to(row, bearer=True)
        found: str | None = self.context["bearers"].of(row, ["zip"]).get("zip") if out else None
        return found


class SetArchives(ReadOnlyMerchantViewSet):
    """Sets as zips, and what became of those that were brought along."""

    model = SetArchive
    serializer_class = ArchiveSerializer


register("training-set-archives", SetArchives)
