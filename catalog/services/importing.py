"""A feed into the catalog: kept, previewed, and run row by row in the light lane; a run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Merchant, User
from accounts.services import webhooks
from catalog import csv_columns, feed_files
from catalog.csv_columns import Problem, Unit
from catalog.models import CatalogImport, Category, FeedMapping, Garment, ImportRow
from catalog.services import garments, photos
from catalog.services.assets import drop_files
from catalog.services.garments import Details
from imodel_site.lib import storage
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.fetch import PUBLIC, Fetcher
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.jobs.work import LostLease, Work
from imodel_site.lib.said import kept, shown
from imodel_site.lib.uploads import check_arrived
from studio.errors import EngineError

KIND = "import"  # of storage keys
SALT = "catalog.import"
PREVIEW_HOURS = 20  # less than the day after which a file that no row refers to is collected
SAY_EVERY = 0.5  # seconds
STARTED = "started"  # code of a row whose photos are still being fetched
SLICE_SECONDS = 30.0  # then others get their turn: one lane serves every merchant's looks and imports
AFTER_LOOKS = -1  # priority
EVENTS = {
    Status.SUCCEEDED: "import.finished",
    Status.FAILED: "import.failed",
    Status.CANCELLED: "import.cancelled",
}


@dataclass(frozen=True)
class Choices:
    """How a file is read: found out first, then as the merchant says."""

    encoding: str = ""
    delimiter: str = ""
    columns: Mapping[int, str] | None = None


@dataclass(frozen=True)
class Preview:
    """What an import would do, before it does anything."""

    sheet: feed_files.Sheet
    columns: Mapping[int, str]
    units: list[Unit]

    @property
    def problems(self) -> list[Problem]:
        """Every row's, by line."""
        return sorted((one for unit in self.units for one in unit.problems), key=lambda one: one.line)

    @property
    def good(self) -> int:
        """Garments that will come in."""
        return sum(not unit.fatal for unit in self.units)


@dataclass(frozen=True)
class Kept:
    """A feed that was stored as it came: its storage key, and its name on one line."""

    key: str
    name: str


def keep(*, merchant: Merchant, file: Any) -> Kept:
    """Store an uploaded feed; one that no run takes is collected after a day.

    Raises:
        Refused: ``csv_...``, ``feed_...``: it can not be read at all.
    """
    check_arrived(file)
    if file.size > feed_files.MAX_BYTES:
        words = _("The file is larger than %(mb)s MB. Split it.") % {"mb": feed_files.MAX_BYTES // 2**20}
        raise Refused("csv_too_large", words, field="file")
    file.seek(0)
    data = file.read()
    feed_files.read_sheet(data)
    name = garments.clean_line(file.name or "table.csv", 200)
    ending = name.rpartition(".")[2].lower()
    suffix = ending if ending in feed_files.SUFFIXES else "csv"
    return Kept(storage.put(storage.new_key(merchant.pk, KIND, suffix), data), name)


@contextmanager
def kept_for_now(*, merchant: Merchant, file: Any) -> Iterator[Kept]:
    """As :func:`keep`, for as long as the block runs, and longer only for a run that took it."""
    kept = keep(merchant=merchant, file=file)
    try:
        yield kept
    finally:
        if not CatalogImport.objects.filter(key=kept.key).exists():
            drop_files([kept.key])


def keep_file(*, merchant: Merchant, file: Any) -> str:
    """As :func:`keep`, for its preview; returns what the preview's address carries."""
    kept = keep(merchant=merchant, file=file)
    return signing.dumps([kept.key, kept.name], salt=SALT, compress=True)


def kept_file(*, merchant: Merchant, token: str) -> tuple[str, str]:
    """(storage key, file name) of a preview's address.

    Raises:
        NotHere: not one of ours, another merchant's, or too old.
    """
    try:
        key, name = signing.loads(token, salt=SALT, max_age=PREVIEW_HOURS * 3600)
    except signing.BadSignature:
        raise NotHere(_("This preview has ended. Upload the file again.")) from None
    if storage.merchant_of(key) != merchant.pk:
        raise NotHere(_("This preview has ended. Upload the file again."))
    return key, name


def preview(*, key: str, choices: Choices) -> Preview:
    """Read the file and say what would come of each row; no address is fetched yet."""
    try:
        data = storage.read(key)
    except FileNotFoundError:
        raise NotHere(_("This preview has ended. Upload the file again.")) from None
    sheet = feed_files.read_sheet(data, encoding=choices.encoding, delimiter=choices.delimiter)
    if choices.columns is None:
        columns = csv_columns.map_columns(sheet.heading, sheet.format, _remembered(sheet.format))
    else:
        columns = csv_columns.checked_mapping(sheet.heading, choices.columns)
    return Preview(sheet, columns, csv_columns.units(sheet, columns))


def _remembered(format: str) -> dict[str, str]:
    known = FeedMapping.objects.filter(format=format).values_list("columns", flat=True).first()
    return dict(known or {})


def _remember(merchant: Merchant, found: Preview) -> None:
    """What these headings are, for the next file that has them; what others are stays as it was said."""
    said = {csv_columns.word_of(title): found.columns.get(place, "") for place, title in enumerate(found.sheet.heading)}
    columns = {**_remembered(found.sheet.format), **said}
    FeedMapping.objects.update_or_create(
        merchant=merchant, format=str(found.sheet.format), defaults={"columns": columns}
    )


def start(*, merchant: Merchant, by: User | None, key: str, name: str, choices: Choices) -> CatalogImport:
    """Queue the run; the same preview sent twice is one run.

    Raises:
        Refused: ``import_without_names``, ``import_empty``.
    """
    found = preview(key=key, choices=choices)
    if "name" not in found.columns.values():
        raise Refused("import_without_names", _("Say which column holds the name."), field="columns")
    if not found.good:
        raise Refused("import_empty", _("No row can be imported as it stands. Look at what is said of each."))
    _remember(merchant, found)
    mapping = {
        "encoding": found.sheet.encoding,
        "delimiter": found.sheet.delimiter,
        "columns": {str(place): name for place, name in found.columns.items()},
    }
    run, _new = jobs.accept(
        CatalogImport,
        merchant=merchant,
        key=f"import {hashlib.sha256(key.encode()).hexdigest()}",
        request_hash=hashlib.sha256(json.dumps(mapping, sort_keys=True).encode()).hexdigest(),
        make=lambda: CatalogImport(
            merchant=merchant,
            name=name,
            key=key,
            mapping=mapping,
            rows_total=len(found.units),
            started_by=by,
            priority=AFTER_LOOKS,
        ),
    )
    return run


def referred_keys(merchant_id: UUID) -> Iterator[str]:
    """For the collector."""
    yield from CatalogImport.objects.values_list("key", flat=True)


# --- the run -------------------------------------------------------------------------------------------------------
def carry_out(work: Work, *, fetcher: Fetcher = PUBLIC, seconds: float = SLICE_SECONDS) -> None:
    """Import what is not done yet; after a while hand the job back, so that other merchants' jobs get their turn."""
    run: CatalogImport = work.job
    mapping = run.mapping
    choices = Choices(mapping["encoding"], mapping["delimiter"], {int(p): n for p, n in mapping["columns"].items()})
    todo = preview(key=run.key, choices=choices).units
    done = dict(ImportRow.objects.filter(run=run).values_list("line", "code"))
    said = time.monotonic()
    until = said + seconds
    for number, unit in enumerate(todo):
        if done.get(unit.line, STARTED) != STARTED:
            continue
        work.stop_if_asked()
        if time.monotonic() > until:
            _say_how_far(work, number, len(todo))
            work.hand_back()
            return
        with nullcontext() if unit.images else transaction.atomic():  # who fetches holds no transaction open
            _import_unit(work, run, unit, fetcher)
        if time.monotonic() > said + SAY_EVERY:
            _say_how_far(work, number + 1, len(todo))
            said = time.monotonic()
    work.finish(rows_done=len(todo))


def _say_how_far(work: Work, done: int, total: int) -> None:
    """Kept progress: what is done stays done, so losing a worker now is no reason to give the file up."""
    work.progress("import", done / max(1, total), kept=True)
    CatalogImport.objects.filter(pk=work.job.pk, token=work.token).update(rows_done=done)


def _import_unit(work: Work, run: CatalogImport, unit: Unit, fetcher: Fetcher) -> None:
    if unit.fatal:
        _note(run, unit.line, unit.problems, garment=None)
        return
    row = _begin(run, unit)
    if row.garment is None:  # the merchant deleted it while its photos came in
        _note(run, unit.line, unit.problems, garment=None)
        return
    problems = list(unit.problems)
    if unit.images:
        before = row.garment.photos.count()
        problems += _fetch_photos(work, run.merchant, row.garment, unit, fetcher)
        if row.garment.photos.count() != before:
            ImportRow.objects.filter(pk=row.pk).update(changed=True)
    if row.created and not unit.status and row.garment.photos.exists():
        garments.set_status(garments=[row.garment], status=Garment.Status.ACTIVE)
    _note(run, unit.line, problems, garment=row.garment)


def _begin(run: CatalogImport, unit: Unit) -> ImportRow:
    """The garment and the note that it was made, together: a worker that is lost later makes no second one.

    Raises:
        LostLease: another worker has this row.
    """
    there = ImportRow.objects.select_related("garment").filter(run=run, line=unit.line).first()
    if there is not None:
        return there
    with transaction.atomic():
        garment, created, changed = _upsert(run.merchant, unit)
        try:
            with transaction.atomic():
                return ImportRow.objects.create(
                    merchant_id=run.merchant_id,
                    run=run,
                    line=unit.line,
                    garment=garment,
                    created=created,
                    changed=changed,
                    code=STARTED,
                )
        except IntegrityError as error:
            raise LostLease(f"row {unit.line} of import {run.pk}") from error


def _upsert(merchant: Merchant, unit: Unit) -> tuple[Garment, bool, bool]:
    """By SKU; cells that are empty change nothing of a garment that is there.

    Returns:
        The garment, whether it is new, and whether anything of it was changed.
    """
    there = Garment.objects.select_for_update().filter(sku=unit.sku).first() if unit.sku else None
    if there is None:
        status = unit.status or Garment.Status.DRAFT
        details = Details(unit.name, unit.sku, unit.category or Category.OTHER, unit.colour, status, unit.tags)
        return garments.create_garment(merchant=merchant, details=details), True, True
    details = Details(
        unit.name,
        unit.sku,
        unit.category or there.category,
        unit.colour or there.colour,
        unit.status or there.status,
        unit.tags or None,
    )
    if garments.same(there, details):
        return there, False, False
    return garments.update_garment(garment=there, details=details), False, True


def _fetch_photos(work: Work, merchant: Merchant, garment: Garment, unit: Unit, fetcher: Fetcher) -> list[Problem]:
    problems = []
    for line, url in unit.images:
        work.stop_if_asked()
        try:
            data = fetcher.fetch(url)
            photos.add_photo(garment=garment, merchant=merchant, file=data, file_name=urlsplit(url).path)
        except (Refused, EngineError) as error:
            problems.append(Problem(line, "image", error.code, error.message))
    return problems


def _note(run: CatalogImport, line: int, problems: list[Problem], *, garment: Garment | None) -> None:
    """What became of a row: empty code when all went well."""
    told = [{"line": one.line, **kept(one.code, one.message)} for one in problems]
    first = problems[0] if problems else None
    ImportRow.objects.update_or_create(
        run=run,
        line=line,
        defaults={
            "merchant_id": run.merchant_id,
            "garment": garment,
            "code": first.code if first else "",
            "field": first.field if first else "",
            "message": _in_words(line, told),
            "problems": told,
        },
    )


def words_of(row: ImportRow) -> str:
    """What is said of a row, in the reader's language."""
    return _in_words(row.line, row.problems) if row.problems else _(row.message)


def _in_words(line: int, told: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(
        shown(one) if one["line"] == line else _("Line %(line)s: %(what)s") % {"line": one["line"], "what": shown(one)}
        for one in told
    )


@dataclass(frozen=True)
class Outcome:
    """A run in numbers."""

    created: int
    updated: int
    unchanged: int
    failed: int
    with_problems: int


def outcome(run: CatalogImport) -> Outcome:
    """What has become of the rows so far."""
    rows = ImportRow.objects.filter(run=run).exclude(code=STARTED)
    made = rows.exclude(garment=None)
    return Outcome(
        created=made.filter(created=True).count(),
        updated=made.filter(created=False).exclude(changed=False).count(),
        unchanged=made.filter(created=False, changed=False).count(),
        failed=rows.filter(garment=None).exclude(code="").count(),
        with_problems=made.exclude(code="").count(),
    )


def ended(run: CatalogImport) -> None:
    """Tell the shop's programs, in the transaction that ends it."""
    found = outcome(run)
    error = {"code": run.error_code, "retryable": run.error_retryable} if run.status == Status.FAILED else None
    webhooks.emit(
        merchant_id=run.merchant_id,
        type=EVENTS[Status(run.status)],
        subject_id=run.pk,
        round=run.token,
        data={
            "id": str(run.pk),
            "status": str(run.status),
            "name": run.name,
            "garments": asdict(found),
            "error": error,
            "links": {"import": f"{settings.SITE_URL}/api/v1/imports/{run.pk}"},
        },
    )


def problem_rows(run: CatalogImport) -> Any:
    """The rows that something is to be said of, by line."""
    return run.rows.exclude(code__in=("", STARTED)).select_related("garment").order_by("line")
