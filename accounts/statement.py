"""The ledger as a merchant reads it: entries, newest first, with what the jobs were that they are for.

The rooms above know what a job was; each registers how to tell (``register``), so that this one needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Max

from accounts.models import LedgerEntry
from accounts.scoping import merchant_scope

PAGE, AT_ONCE = 50, 500
Kind = LedgerEntry.Kind
# What the page's chips show.
SHOWN: Mapping[str, tuple[str, ...]] = {
    "": tuple(Kind.values),
    "paid": (Kind.CAPTURE,),
    "received": (Kind.MONTHLY, Kind.GRANT),
}
HEADINGS = (
    "time", "kind", "available_change", "held_change", "available_after", "held_after",
    "job", "what", "picture_costs", "period", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One thing that a job made: its number in the job, its address (empty when it is gone), what it cost."""

    number: int
    url: str
    cost: int


@dataclass(frozen=True)
class Told:
    """What a job was: its name, its address, and what it made."""

    title: str
    url: str
    pieces: Sequence[Piece] = ()


@dataclass(frozen=True)
class Line:
    """An entry and, where its job is still there, what that was; ``superseded`` when the job was tried again."""

    entry: LedgerEntry
    told: Told | None
    superseded: bool = False

    @property
    def pieces(self) -> Sequence[Piece]:
        """What was paid for, and what came free: at the end of the job's last try only, which made them."""
        ends = self.entry.kind in (Kind.CAPTURE, Kind.RELEASE) and not self.superseded
        return self.told.pieces if self.told and ends else ()

    @property
    def taken(self) -> int:
        """Credits that can not be spent any more since this entry."""
        return max(0, -self.entry.available_change)

    @property
    def taken_back(self) -> bool:
        """Whether staff took credits away, which the ledger calls a grant as well."""
        return self.entry.kind == Kind.GRANT and self.entry.available_change < 0

    @property
    def paid(self) -> int:
        """Credits that this entry took out of what was reserved."""
        return -self.entry.held_change if self.entry.kind == Kind.CAPTURE else 0


Teller = Callable[[Sequence[UUID]], Mapping[UUID, Told]]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """``teller`` is given ids of jobs, in their merchant's scope, and tells of those that are its own."""
    if teller not in _tellers:
        _tellers.append(teller)


def page(merchant_id: UUID, *, show: str, older_than: UUID | None, size: int = PAGE) -> tuple[list[Line], UUID | None]:
    """A page of lines, newest first, and the cursor of the next one (None at the end).

    Args:
        show: a key of ``SHOWN``.
        older_than: the cursor of the page before.
    """
    with merchant_scope(merchant_id):
        rows = LedgerEntry.objects.filter(kind__in=SHOWN[show]).order_by("-id")
        found = list((rows.filter(pk__lt=older_than) if older_than else rows)[: size + 1])
        return _lines(found[:size]), found[size - 1].pk if len(found) > size else None


def everything(merchant_id: UUID) -> Iterator[Sequence[Any]]:
    """The whole ledger as rows for a spreadsheet, headings first.

    May be read while an answer is sent: each page opens the scope for itself, and entries that are written meanwhile
    are newer than the first page.
    """
    yield HEADINGS
    cursor: UUID | None = None
    while True:
        lines, cursor = page(merchant_id, show="", older_than=cursor, size=AT_ONCE)
        yield from map(_row, lines)
        if cursor is None:
            return


def _lines(entries: Iterable[LedgerEntry]) -> list[Line]:
    found = list(entries)
    jobs = {entry.job_id for entry in found if entry.job_id}
    told, last = tell(jobs), _last_rounds(jobs)
    return [Line(entry, told.get(entry.job_id), entry.round < last.get(entry.job_id, 0)) for entry in found]


def _last_rounds(jobs: Iterable[UUID]) -> dict[UUID | None, int]:
    """Of those jobs that were tried again; an entry of another page may be newer than all of this one."""
    again = LedgerEntry.objects.filter(job_id__in=jobs, kind=Kind.HOLD, round__gt=0).order_by()
    return dict(again.values("job_id").annotate(last=Max("round")).values_list("job_id", "last"))


def tell(jobs: Iterable[UUID]) -> dict[Any, Told]:
    """What these jobs of the open scope were; those that are gone are missing."""
    wanted, found = list(jobs), dict[Any, Told]()
    for teller in _tellers if wanted else ():
        found.update(teller(wanted))
    return found


def _row(line: Line) -> Sequence[Any]:
    entry = line.entry
    return (
        entry.created_at.isoformat(timespec="seconds"),
        entry.kind,
        entry.available_change,
        entry.held_change,
        entry.available_after,
        entry.held_after,
        str(entry.job_id or ""),
        line.told.title if line.told else "",
        " ".join(f"{piece.number}:{piece.cost}" for piece in line.pieces),
        entry.period,
        entry.note,
    )
