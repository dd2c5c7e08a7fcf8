"""``/api/v1/imports``: feeds into the catalog (docs/catalog.md)."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import allow_write
from catalog.access import access_import
from catalog.csv_columns import FIELDS, Problem
from catalog.models import CatalogImport, ImportRow
from catalog.services import importing
from catalog.services.importing import Choices, Preview
from imodel_site.api import MerchantViewSet, register
from imodel_site.lib.api_answers import answers
from imodel_site.lib.api_fields import Text
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import Status

SHOWN = 100  # problems in one answer; the page's CSV has all of them


class ImportOrder(serializers.Serializer[Any]):
    """A feed, as a form with ``file``."""

    file = serializers.FileField(help_text="CSV, TSV, XML or JSON: docs/catalog.md says whose. Up to 24 MB.")
    columns = Text(
        required=False,
        max_length=20_000,
        help_text='JSON: our field by their heading, such as {"Titel": "name"}; left out, as last time.',
    )
    dry_run = serializers.BooleanField(
        required=False, help_text="Only say what would come of it (200); nothing is imported."
    )

    def validate_columns(self, value: str) -> dict[str, str]:
        """An object of texts, with fields that there are."""
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(name, str) and name in FIELDS for name in found.values()):
            raise serializers.ValidationError(
                _("Send a JSON object with one of these for each heading: %(names)s.")
                % {"names": ", ".join(name for name in FIELDS if name)}
            )
        return found


class ImportProblemSerializer(serializers.Serializer[Any]):
    """What is said of a row."""

    line = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="In the file.")
    field = serializers.CharField(help_text="Which of our fields; empty for none.")
    code = serializers.CharField()
    message = serializers.CharField()


class ImportPreviewSerializer(serializers.Serializer[Any]):
    """What an import would do."""

    format = serializers.CharField(help_text="Whose columns they are.")
    columns = serializers.DictField(child=serializers.CharField(), help_text="Our field by heading, of those used.")
    rows = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    garments = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="That would come in.")
    problem_count = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    problems = ImportProblemSerializer(many=True, help_text=f"The first {SHOWN}.")

    def to_representation(self, instance: Preview) -> Any:
        """Of the service's preview."""
        sheet, problems = instance.sheet, instance.problems
        return {
            "format": str(sheet.format),
            "columns": {sheet.heading[place]: name for place, name in instance.columns.items()},
            "rows": len(sheet.rows),
            "garments": instance.good,
            "problem_count": len(problems),
            "problems": [_problem(one) for one in problems[:SHOWN]],
        }


def _problem(one: Problem) -> dict[str, Any]:
    return {"line": one.line, "field": one.field, "code": one.code, "message": str(one.message)}


class ImportOutcomeSerializer(serializers.Serializer[Any]):
    """Garments so far."""

    created = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    updated = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    unchanged = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    failed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="Left out.")
    with_problems = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="In, but something was wrong.")


class ImportSerializer(serializers.Serializer[Any]):
    """A run."""

    id = serializers.UUIDField()
    name = serializers.CharField(help_text="Of the file.")
    status = serializers.ChoiceField(choices=Status.choices)
    rows_done = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="Garments, of rows_total.")
    rows_total = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class WholeImportSerializer(ImportSerializer):
    """A run with what has become of it."""

    garments = ImportOutcomeSerializer()
    problem_count = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    problems = ImportProblemSerializer(many=True, help_text=f"The first {SHOWN}.")

    def to_representation(self, instance: CatalogImport) -> Any:
        """With its rows counted."""
        rows = importing.problem_rows(instance)
        return {
            **ImportSerializer(instance).data,
            "garments": ImportOutcomeSerializer(importing.outcome(instance)).data,
            "problem_count": rows.count(),
            "problems": [_row(row) for row in rows[:SHOWN]],
        }


def _row(row: ImportRow) -> dict[str, Any]:
    return {"line": row.line, "field": row.field, "code": row.code, "message": importing.words_of(row)}


class ImportFilters(serializers.Serializer[Any]):
    """What the list can be narrowed to."""

    status = serializers.ChoiceField(choices=Status.choices, required=False, help_text="In this status.")


class Imports(mixins.ListModelMixin, mixins.RetrieveModelMixin, MerchantViewSet):
    """Feeds on their way into the catalog."""

    model = CatalogImport
    filters = ImportFilters
    uploads = ("create",)

    def get_serializer_class(self) -> Any:
        """What became of the rows comes with one run, not with a list."""
        return ImportSerializer if self.action == "list" else WholeImportSerializer

    def refine(self, rows: Any) -> Any:
        """By the filters."""
        return rows.filter(**self.wanted)

    @answers({202: WholeImportSerializer, 200: ImportPreviewSerializer}, takes=ImportOrder)
    def create(self, request: Request) -> Response:
        """Import a feed.

        202 with the run, to be followed at Location; a garment whose SKU is there is brought up to date. With
        `dry_run` 200 with what would come of it. Photos are fetched while it runs, under the rules for addresses.
        """
        allow_write(self.actor)
        form = ImportOrder(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        with importing.kept_for_now(merchant=self.actor.merchant, file=given["file"]) as kept:
            choices = _choices(kept.key, given.get("columns"))
            if given.get("dry_run"):
                return Response(ImportPreviewSerializer(importing.preview(key=kept.key, choices=choices)).data)
            run = importing.start(
                merchant=self.actor.merchant, by=self.actor.user, key=kept.key, name=kept.name, choices=choices
            )
        return self._accepted(run)

    @action(detail=True, methods=["post"])
    @answers({202: WholeImportSerializer})
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a run; what came in stays."""
        run = access_import(self.actor, pk, write=True)
        jobs.cancel(run)
        return self._accepted(run)

    def _accepted(self, run: CatalogImport) -> Response:
        where = self.reverse_action("detail", args=[run.pk])
        return Response(WholeImportSerializer(run).data, status=202, headers={"Location": where})


def _choices(key: str, columns: dict[str, str] | None) -> Choices:
    """Headings are named, places are counted; headings that the file lacks name nothing."""
    if columns is None:
        return Choices()
    heading = importing.preview(key=key, choices=Choices()).sheet.heading
    return Choices(columns={place: columns.get(title, "") for place, title in enumerate(heading)})


register("imports", Imports)
