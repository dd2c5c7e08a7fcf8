"""A batch as its page shows it: cells by garment and look, lists of pictures, and how far it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, FloatField, OrderBy, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models.moderation import Moderation
from catalog.models import Garment
from generation import words
from generation.models import Batch, MadeAs, Picture, Review, Shoot
from generation.services import redoing
from generation.services.batches import picture_counts, shoot_counts
from imodel_site.lib.jobs import queue
from imodel_site.lib.jobs.model import ENDED, Status
from imodel_site.lib.signing import media_url

CELLS = 96  # on one page of the matrix
PICTURES = 60  # on one page of a list
WAITING = (Status.QUEUED, Status.PAUSED, Status.RUNNING)
# The lists beside the matrix. Of pictures, by what narrows them:
PICTURE_LISTS: Mapping[str, Mapping[str, str]] = {
    "best": {},
    "worst": {},
    "review": {"review": Review.NONE},
    "approved": {"review": Review.APPROVED},
    "rejected": {"review": Review.REJECTED},
}
# ... and of shoots without pictures, by their status.
SHOOT_LISTS: Mapping[str, Sequence[str]] = {"waiting": WAITING, "failed": (Status.FAILED, Status.CANCELLED)}
BEST_FIRST = Case(
    *(When(verdict=verdict, then=Value(place)) for place, verdict in enumerate(("good", "none", "check", "reject"))),
    default=Value(9),
)


def _figure(section: str, name: str) -> Any:
    """A figure of the report; null where it was not measured. SQLite tells a null of JSON as the word."""
    return Cast(NullIf(KeyTextTransform(name, KeyTransform(section, "report")), Value("null")), FloatField())


# Section and figure of the report, and whether more of it is better: in this order, as ``best_of`` compares.
FIGURES = (
    ("garment", "locked_ratio", True),
    ("pose", "pck", True),
    ("seam", "delta_e_mean", False),
    ("outline", "iou", True),
)


def by_fidelity(*, worst: bool) -> list[Any]:
    """Verdict first, then the figures; what was not measured counts as the worst."""
    nulls = {"nulls_first": True} if worst else {"nulls_last": True}
    figures = [OrderBy(_figure(section, name), descending=more != worst, **nulls) for section, name, more in FIGURES]
    return [OrderBy(BEST_FIRST, descending=worst), *figures, "id"]


@dataclass(frozen=True)
class Tile:
    """One picture: its addresses are empty while staff hold it back."""

    picture: Picture
    image: str
    large: str
    said: str
    price: str
    redo: Shoot | None = None

    @property
    def redo_words(self) -> str:
        """What became of its free retry; empty without one."""
        if self.redo is None:
            return ""
        if self.redo.status == Status.SUCCEEDED:
            return _("Made again, free.")
        if self.redo.status in (Status.FAILED, Status.CANCELLED):
            return _("The free retry was not made.")
        return _("Being made again, free.")

    @property
    def can_redo(self) -> bool:
        """Whether it may be made again for nothing, once it is rejected with a reason."""
        return self.redo is None and redoing.can_redo(self.picture)

    @property
    def can_review(self) -> bool:
        """Whether there is something to approve or reject."""
        return self.picture.moderation not in (Moderation.FLAGGED, Moderation.REJECTED)

    @property
    def reviewed(self) -> bool:
        """Whether that can still be taken back: what was made again stays rejected."""
        return self.can_review and self.redo is None


@dataclass(frozen=True)
class Cell:
    """One shoot of the batch. ``mark`` changes with whatever is shown of it."""

    shoot: Shoot
    look: str
    tiles: Sequence[Tile]
    words: str
    mark: str

    @property
    def state(self) -> str:
        """How it is drawn: done, running, waiting, failed or cancelled."""
        if self.shoot.status in (Status.QUEUED, Status.PAUSED):
            return "waiting"
        return "done" if self.shoot.status == Status.SUCCEEDED else str(self.shoot.status)


@dataclass(frozen=True)
class Row:
    """One garment's cells."""

    name: str
    garment_id: UUID | None
    photo: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Page:
    """A page of the matrix or of a list."""

    rows: Sequence[Row]
    cells: Sequence[Cell]
    number: int
    last: int


# --- names ------------------------------------------------------------------------------------------------------------
def title(batch: Batch) -> str:
    """Its name, or what it is."""
    if batch.name:
        return batch.name
    rows, columns = len(batch.choices.get("rows", ())), len(looks(batch))
    garments = ngettext("%(n)d garment", "%(n)d garments", rows) % {"n": rows}
    return f"{garments} × " + ngettext("%(n)d look", "%(n)d looks", columns) % {"n": columns}


def looks(batch: Batch) -> list[str]:
    """The columns' names, short: what all of them share is left out."""
    found = [_parts(look) for look in batch.choices.get("looks", ())]
    differing = [place for place in range(3) if len({parts[place] for parts in found}) > 1] or [0]
    return [" · ".join(parts[place] for place in differing) for parts in found]


def _parts(look: Mapping[str, Any]) -> tuple[str, str, str]:
    persona, scene, pose = (_(row["name"]) if row else "" for row in (look.get(key) for key in _LOOK))
    return persona, scene, pose or _("As in photo")


_LOOK = ("persona", "scene", "pose")


# --- cells ------------------------------------------------------------------------------------------------------------
def matrix(batch: Batch, number: int) -> Page:
    """Some garments with all their looks: a batch's shoots are its cells, row by row, in the order of their ids."""
    columns = looks(batch) or [""]
    per_page = max(1, CELLS // len(columns))
    last = max(1, -(-batch.shoots_total // (per_page * len(columns))))
    number = min(max(1, number), last)
    begin = (number - 1) * per_page * len(columns)
    ordered = _ordered(batch).order_by("id")[begin : begin + per_page * len(columns)]
    cells = _cells(list(ordered), columns)
    rows = [_row(cells[place : place + len(columns)]) for place in range(0, len(cells), len(columns))]
    return Page(rows, cells, number, last)


def listed(batch: Batch, show: str, number: int, *, garment: UUID | None = None) -> Page:
    """A page of one of the lists: each picture as a cell of its own, by fidelity; or the shoots that have none."""
    of_garment = {"garment": garment} if garment else {}
    if show in SHOOT_LISTS:
        asked = _shoots(batch).filter(status__in=SHOOT_LISTS[show], **of_garment).order_by("id")
    else:
        asked = _pictures().filter(shoot__batch=batch, **PICTURE_LISTS[show], **of_garment)
        asked = asked.order_by(*by_fidelity(worst=show == "worst"))
    last = max(1, -(-asked.count() // PICTURES))
    number = min(max(1, number), last)
    found = list(asked[(number - 1) * PICTURES : number * PICTURES])
    cells = _cells(found, [""]) if show in SHOOT_LISTS else _alone(found)
    return Page([], cells, number, last)


def cells_of(batch: Batch, identities: Iterable[UUID]) -> list[Cell]:
    """These of its cells, as they are now; what is not of this batch is left out."""
    columns = looks(batch) or [""]
    order = list(_ordered(batch).order_by("id").values_list("pk", flat=True))
    place = {identity: columns[at % len(columns)] for at, identity in enumerate(order)}
    found = _ordered(batch).filter(pk__in=list(identities)).order_by("id")
    return [_cells([shoot], [place[shoot.pk]])[0] for shoot in found]


def _shoots(batch: Batch) -> Any:
    rows = Shoot.objects.filter(batch=batch).select_related("garment", "photo__asset", "persona", "scene", "pose")
    return rows.defer("order", "timings", "table")


def _ordered(batch: Batch) -> Any:
    """The cells of the matrix: without what made one of their pictures again, which stands beside it."""
    return _shoots(batch).exclude(made_as=MadeAs.REDO)


def _pictures() -> Any:
    return Picture.objects.filter(deleted_at=None).select_related("garment", "shoot__persona").defer("recipe")


def _cells(shoots: Sequence[Shoot], columns: Sequence[str]) -> list[Cell]:
    pictures = list(_pictures().filter(shoot__in=[shoot.pk for shoot in shoots]).order_by("index"))
    redos = redoing.redos_of(pictures)
    cell_of = {redos[picture.pk].pk: picture.shoot_id for picture in pictures if picture.pk in redos}
    again = list(_pictures().filter(shoot__in=cell_of)) if cell_of else []
    by_shoot: dict[UUID, list[Picture]] = {}
    for picture in [*pictures, *again]:
        by_shoot.setdefault(cell_of.get(picture.shoot_id, picture.shoot_id), []).append(picture)
    return [
        _cell(shoot, columns[place % len(columns)], by_shoot.get(shoot.pk, []), redos)
        for place, shoot in enumerate(shoots)
    ]


def _cell(shoot: Shoot, look: str, pictures: Sequence[Picture], redos: Mapping[UUID, Shoot]) -> Cell:
    tiles = [_tile(picture, redos.get(picture.pk)) for picture in pictures]
    return Cell(shoot, look, tiles, _said(shoot, pictures), _mark(shoot, tiles))


def _alone(pictures: Sequence[Picture]) -> list[Cell]:
    """Each picture as a cell of its own."""
    redos = redoing.redos_of(pictures)
    for picture in pictures:
        picture.shoot.garment = picture.garment
    return [_cell(picture.shoot, "", [picture], redos) for picture in pictures]


def _tile(picture: Picture, redo: Shoot | None) -> Tile:
    cost = ngettext("%(n)d credit", "%(n)d credits", picture.cost) % {"n": picture.cost} if picture.cost else _("free")
    image, large = media_url(picture, "medium"), media_url(picture, "display")
    return Tile(picture, image, large, words.garment(picture), cost, redo)


def _said(shoot: Shoot, pictures: Sequence[Picture]) -> str:
    if shoot.status == Status.FAILED:
        return words.failure(shoot.error_code, shoot.error_message)
    if shoot.status == Status.RUNNING:
        return _("Stopping") if shoot.cancel_requested_at else words.stage(shoot.stage)
    if shoot.status == Status.SUCCEEDED:
        return "" if pictures else _("Its pictures were deleted.")
    return str(shoot.get_status_display()).capitalize()


def _mark(shoot: Shoot, tiles: Sequence[Tile]) -> str:
    """A fingerprint of what is shown, so that a page only asks for cells that have changed."""
    said: list[Any] = [shoot.status, shoot.stage, int(shoot.fraction * 10), bool(shoot.cancel_requested_at)]
    for tile in tiles:
        picture = tile.picture
        said.append((picture.pk.hex, picture.review, picture.review_reason, picture.moderation, tile.redo_words))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _row(cells: Sequence[Cell]) -> Row:
    shoot = cells[0].shoot
    photo = media_url(shoot.photo.asset, "small") if shoot.photo else ""
    name = shoot.garment.name if shoot.garment else _("Deleted garment")
    return Row(name, shoot.garment_id, photo, cells)


# --- how far it is ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    """A batch in numbers, and what may be done with it."""

    shoots: Mapping[str, int]
    total: int

    @property
    def done(self) -> int:
        """Shoots that have ended, however."""
        return sum(self.shoots[status] for status in ENDED)

    @property
    def under_way(self) -> bool:
        """Whether something still waits or runs."""
        return any(self.shoots[status] for status in WAITING)

    @property
    def waiting(self) -> int:
        """Shoots that have not ended."""
        return sum(self.shoots[status] for status in WAITING)

    @property
    def unmade(self) -> int:
        """Shoots that ended without a picture."""
        return self.shoots[Status.FAILED] + self.shoots[Status.CANCELLED]

    @property
    def failed(self) -> int:
        """Shoots that can be tried again."""
        return self.shoots[Status.FAILED]

    @property
    def percent(self) -> int:
        """0 to 100."""
        return round(100 * self.done / self.total) if self.total else 100


def progress_of(batches: Sequence[Batch]) -> dict[UUID, Progress]:
    """How far each is, in one question for all."""
    counts = shoot_counts(batches)
    return {batch.pk: Progress(counts[batch.pk], sum(counts[batch.pk].values())) for batch in batches}


def summary(batch: Batch, progress: Progress) -> str:
    """How far it is in one line."""
    said = [_("%(done)d of %(total)d shoots done") % {"done": progress.done, "total": progress.total}]
    if progress.shoots[Status.RUNNING]:
        said.append(_("%(n)d running") % {"n": progress.shoots[Status.RUNNING]})
    if progress.failed:
        said.append(_("%(n)d failed") % {"n": progress.failed})
    if cancelled := progress.shoots[Status.CANCELLED]:
        said.append(_("%(n)d cancelled") % {"n": cancelled})
    if progress.under_way and batch.status == Batch.Status.OPEN and (left := seconds_left(progress)):
        said.append(duration(left))
    return " · ".join(said)


def paid(batch: Batch) -> int:
    """Credits that its pictures have cost so far."""
    return int(Picture.objects.filter(shoot__batch=batch).aggregate(sum=Sum("cost"))["sum"] or 0)


def seconds_left(progress: Progress) -> int | None:
    """About how long the rest takes at the pace of the latest shoots, one after the other; None while unknown."""
    usual = queue.usual_seconds(Shoot)
    at_once = max(1, progress.shoots[Status.RUNNING])
    return None if usual is None else round(usual * progress.waiting / at_once)


def duration(seconds: int) -> str:
    """About how long, for people."""
    if seconds < 90:
        return ngettext("about %(n)d second", "about %(n)d seconds", seconds) % {"n": seconds}
    if seconds < 5400:
        return ngettext("about %(n)d minute", "about %(n)d minutes", round(seconds / 60)) % {"n": round(seconds / 60)}
    return ngettext("about %(n)d hour", "about %(n)d hours", round(seconds / 3600)) % {"n": round(seconds / 3600)}


def garments(batch: Batch) -> list[Garment]:
    """Those of its garments that are still there, by name: a list can be narrowed to one."""
    rows = [row["garment"] for row in batch.choices.get("rows", ())]
    return sorted(Garment.objects.in_bulk(rows).values(), key=lambda garment: garment.name.casefold())


@dataclass(frozen=True)
class Chip:
    """One way to look at the batch."""

    show: str
    words: str
    count: int | None


def chips(batch: Batch, progress: Progress) -> list[Chip]:
    """Those under which there is something, and the matrix."""
    pictures = picture_counts(batch)
    offered = [
        Chip("", _("Board"), None),
        Chip("best", _("Best first"), pictures["all"]),
        Chip("worst", _("Worst first"), pictures["all"]),
        Chip("review", _("To review"), pictures["to_review"]),
        Chip("approved", _("Approved"), pictures["approved"]),
        Chip("rejected", _("Rejected"), pictures["rejected"]),
        Chip("waiting", _("Waiting"), progress.waiting),
        Chip("failed", _("Without a picture"), progress.unmade),
    ]
    return [chip for chip in offered if chip.count != 0]
