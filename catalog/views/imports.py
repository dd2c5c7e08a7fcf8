"""A feed in four steps: upload, preview with its mapping, run, what came of it."""

from __future__ import annotations

import csv
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import member_required, writer_required
from accounts.views.forms import attempt
from catalog.access import access_import
from catalog.csv_columns import FIELDS
from catalog.feed_files import DELIMITERS, ENCODINGS, FORMATS
from catalog.forms import ImportForm
from catalog.models import CatalogImport
from catalog.services import importing
from catalog.services.importing import Choices, Preview
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.spreadsheets import guarded

ROWS_SHOWN, PROBLEMS_SHOWN, RUNS_SHOWN = 8, 100, 10
SEPARATORS = {",": gettext_lazy("comma"), ";": gettext_lazy("semicolon"), "\t": gettext_lazy("tab"), "|": "|"}


@writer_required
@require_http_methods(["GET", "POST"])
def upload(request: Any) -> HttpResponse:
    """Take the file; it is read and shown before anything happens."""
    posted = request.method == "POST"
    form = ImportForm(request.POST if posted else None, request.FILES if posted else None)
    if posted:
        token = attempt(form, lambda: importing.keep_file(merchant=request.merchant, file=form.cleaned_data["file"]))
        if token is not None:
            return redirect("catalog:import_preview", token)
    runs = CatalogImport.objects.order_by("-id")[:RUNS_SHOWN]
    return render(request, "catalog/import.html", {"form": form, "runs": runs}, status=422 if form.errors else 200)


@writer_required
@require_GET
def preview(request: Any, token: str) -> HttpResponse:
    """What would come of each row; the mapping is part of the address, so that a reload shows the same."""
    key, name = importing.kept_file(merchant=request.merchant, token=token)
    return _preview_page(request, token, name, key, None)


def _choices(query: Any) -> Choices:
    columns = {int(k[1:]): v for k, v in query.items() if k[:1] == "c" and k[1:].isdecimal() and len(k) < 5}
    return Choices(query.get("encoding", ""), query.get("delimiter", ""), columns or None)


def _preview_page(request: Any, token: str, name: str, key: str, refused: Refused | None) -> HttpResponse:
    choices = _choices(request.GET if request.method == "GET" else request.POST)
    try:
        found = importing.preview(key=key, choices=choices)
    except NotHere:
        raise
    except Refused as error:  # another encoding was chosen and does not fit
        refused, found = error, importing.preview(key=key, choices=Choices())
    context = {"token": token, "name": name, "refused": refused, "fields": FIELDS, **_shown(found)}
    return render(request, "catalog/import_preview.html", context, status=422 if refused else 200)


def _shown(found: Preview) -> dict[str, Any]:
    places = range(len(found.sheet.heading))
    problems = found.problems
    return {
        "preview": found,
        "columns": [(place, found.sheet.heading[place], found.columns.get(place, "")) for place in places],
        "rows": [
            (row.line, [row.cells[place] if place < len(row.cells) else "" for place in places])
            for row in found.sheet.rows[:ROWS_SHOWN]
        ],
        "problems": [(one.line, FIELDS.get(one.field, one.field), one.message) for one in problems[:PROBLEMS_SHOWN]],
        "problem_count": len(problems),
        "photo_count": sum(len(unit.images) for unit in found.units if not unit.fatal),
        "format": FORMATS[found.sheet.format],
        "encodings": ENCODINGS,
        "delimiters": [(mark, SEPARATORS[mark]) for mark in DELIMITERS],
    }


@writer_required
@require_POST
def start(request: Any, token: str) -> HttpResponse:
    """Run it."""
    key, name = importing.kept_file(merchant=request.merchant, token=token)
    try:
        run = importing.start(
            merchant=request.merchant, by=request.user, key=key, name=name, choices=_choices(request.POST)
        )
    except NotHere:
        raise
    except Refused as refused:
        return _preview_page(request, token, name, key, refused)
    return redirect("catalog:import_result", run.pk)


@member_required
@require_GET
def result(request: Any, import_id: str) -> HttpResponse:
    """How far it is, and every row that something is to be said of."""
    run = access_import(request.actor, import_id, write=False)
    rows = importing.problem_rows(run)
    context = {
        "run": run,
        "outcome": importing.outcome(run),
        "problems": [(row, importing.words_of(row)) for row in rows[:PROBLEMS_SHOWN]],
        "problem_count": rows.count(),
    }
    return render(request, "catalog/import_result.html", context)


@member_required
@require_GET
def status(request: Any, import_id: str) -> HttpResponse:
    """For js/progress.js."""
    run = access_import(request.actor, import_id, write=False)
    stage = run.get_status_display()
    if run.rows_done and not run.ended:
        stage = _("%(done)s of %(total)s garments") % {"done": run.rows_done, "total": run.rows_total}
    return JsonResponse(
        {
            "status": run.status,
            "stage": stage,
            "fraction": run.rows_done / run.rows_total if run.rows_total else None,
            "message": run.error_message,
            "done": run.ended,
            "next": reverse("catalog:import_result", args=[run.pk]) if run.ended else None,
        }
    )


@writer_required
@require_POST
def cancel(request: Any, import_id: str) -> HttpResponse:
    """Stop it; what came in stays."""
    run = access_import(request.actor, import_id, write=True)
    jobs.cancel(run)
    return redirect("catalog:import_result", run.pk)


@member_required
@require_GET
def problems(request: Any, import_id: str) -> HttpResponse:
    """The rows with problems as a CSV that no spreadsheet runs as formulas."""
    run = access_import(request.actor, import_id, write=False)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{run.pk.hex[-8:]}-problems.csv"'
    response.write("\ufeff")  # or a spreadsheet takes it for its own old encoding
    writer = csv.writer(response)
    writer.writerow(["line", "garment", "field", "code", "message"])
    for row in importing.problem_rows(run).iterator(chunk_size=2000):
        name = row.garment.name if row.garment else ""
        writer.writerow([row.line, *map(guarded, (name, row.field, row.code, importing.words_of(row)))])
    return response
