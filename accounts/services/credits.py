"""Credits: what a merchant may still spend. Each movement is an entry of the ledger, and the account is their sum.

The account's row is the one place where a merchant's movements wait for one another. It is written with its entries, in
the transaction of whoever calls, as the last row that this transaction locks (docs/credits.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import CreditAccount, LedgerEntry, Merchant, Plan, User
from accounts.scoping import merchant_scope, unscoped
from accounts.services.plans import limits, plan_of
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.ids import earliest, uuid7

Kind = LedgerEntry.Kind


@dataclass(frozen=True)
class Move:
    """One entry to be written; ``available`` and ``held`` are what it changes."""

    kind: str
    available: int
    held: int = 0
    job_id: UUID | None = None
    round: int = 0
    period: str = ""
    note: str = ""
    by: User | None = None


# --- what there is ---------------------------------------------------------------------------------------------------
def account(merchant_id: UUID) -> CreditAccount:
    """The merchant's account; the first call makes it, with the first month's credits of its plan."""
    with merchant_scope(merchant_id):
        found: CreditAccount | None = CreditAccount.objects.first()
        return found or _open(merchant_id)


@transaction.atomic
def _open(merchant_id: UUID) -> CreditAccount:
    """Two may come at once: one makes the row, the other waits for its commit and takes it as it is."""
    row, new = CreditAccount.objects.get_or_create(merchant_id=merchant_id)
    if new:
        merchant = Merchant.objects.select_related("plan").get(pk=merchant_id)
        _give_month(_lock(merchant_id), plan_of(merchant))
        row.refresh_from_db()
    found: CreditAccount = row
    return found


def balance(merchant: Merchant) -> int:
    """What may be spent now, in one statement and without writing; a shop not yet used has its first month's."""
    with merchant_scope(merchant):
        found = CreditAccount.objects.values_list("available", flat=True).first()
    return int(plan_of(merchant).monthly_credits if found is None else found)


@dataclass(frozen=True)
class Summary:
    """What a merchant is shown above its ledger; credits all of them.

    Attributes:
        available, held: what may be spent, and what is reserved for work under way.
        spent: paid since the month began.
        next_top_up: the first day of the next month (UTC), when credits up to ``plan.most_saved`` come.
    """

    available: int
    held: int
    spent: int
    plan: Plan
    next_top_up: date


def summary(merchant: Merchant) -> Summary:
    """Balance, month and plan."""
    row, today = account(merchant.pk), timezone.now().astimezone(UTC).date()
    spent = spent_since(merchant.pk, datetime(today.year, today.month, 1, tzinfo=UTC))
    return Summary(row.available, row.held, spent, plan_of(merchant), next_month(today))


def ledger(merchant_id: UUID) -> Any:
    """The merchant's entries, newest first."""
    with merchant_scope(merchant_id):
        return LedgerEntry.objects.filter(merchant_id=merchant_id).order_by("-id")


def month_of(moment: datetime) -> str:
    """The period that a moment belongs to, such as 2026-11; months are UTC's."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def next_month(today: date) -> date:
    """The first day on which the next month's credits may come."""
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def spent_since(merchant_id: UUID, moment: datetime) -> int:
    """Credits paid from then on."""
    with merchant_scope(merchant_id):
        rows = LedgerEntry.objects.filter(kind=Kind.CAPTURE, pk__gte=earliest(moment))
        return -int(rows.aggregate(sum=Sum("held_change"))["sum"] or 0)


def unbalanced() -> list[UUID]:
    """The merchants whose account is not what their ledger adds up to: none, unless somebody wrote past this module."""
    with unscoped("are all accounts the sums of their ledgers"):
        entries = LedgerEntry.objects.filter(merchant=OuterRef("merchant")).order_by().values("merchant")
        sums = {
            name: Coalesce(Subquery(entries.annotate(sum=Sum(column)).values("sum")), 0)
            for name, column in (("wanted_available", "available_change"), ("wanted_held", "held_change"))
        }
        right = Q(available=F("wanted_available"), held=F("wanted_held"))
        # One statement, so that a movement is seen in both or in neither.
        return list(CreditAccount.objects.annotate(**sums).exclude(right).values_list("merchant_id", flat=True))


# --- a job's money ---------------------------------------------------------------------------------------------------
def hold(*, merchant_id: UUID, job_id: UUID, amount: int, note: str = "") -> None:
    """Reserve a job's price; as :func:`hold_many` for one."""
    hold_many(merchant_id=merchant_id, jobs=[(job_id, amount)], note=note)


def hold_many(*, merchant_id: UUID, jobs: Sequence[tuple[UUID, int]], note: str = "") -> None:
    """Reserve the prices of jobs, all or none, in the caller's transaction. A job that holds already holds once.

    Args:
        jobs: ids and prices in credits; a price of 0 holds nothing.

    Raises:
        Refused: ``credits_short`` (402): the balance does not reach; nothing was reserved.
        ValueError: a price is negative.
    """
    if any(amount < 0 for _job, amount in jobs):
        raise ValueError("a price is never negative")
    with merchant_scope(merchant_id), transaction.atomic(savepoint=False):
        known = _rounds(job for job, _amount in jobs)
        moves = [_hold(job, amount, known, note) for job, amount in jobs if amount and not _holds(job, known)]
        # Without locking first: between the UPDATE and the caller's commit stands nothing but the entries.
        if _try_write(merchant_id, moves) is not None:
            return
        row = account(merchant_id)  # perhaps there was none yet
        if _try_write(merchant_id, moves) is not None:
            return
    # Out here nothing was written, so that the caller's transaction is still good for something else.
    raise short(-sum(move.available for move in moves), row.available)


def short(price: int, available: int) -> Refused:
    """Both in credits."""
    words = ngettext(
        "This costs %(price)d credit, and you have %(balance)d. Settings, Credits says when more come.",
        "This costs %(price)d credits, and you have %(balance)d. Order less; Settings, Credits says when more come.",
        price,
    )
    return Refused("credits_short", words % {"price": price, "balance": available}, status=402)


def _hold(job: UUID, amount: int, known: Mapping[UUID, tuple[int, int]], note: str) -> Move:
    last, _held = known.get(job, (-1, 0))
    return Move(Kind.HOLD, -amount, amount, job_id=job, round=last + 1, note=note)


def _holds(job: UUID, known: Mapping[UUID, tuple[int, int]]) -> bool:
    return known.get(job, (-1, 0))[1] > 0


def settle(*, merchant_id: UUID, job_id: UUID, paid: int) -> None:
    """End a job's hold, in the caller's transaction: take what is paid, give the rest back.

    Nothing happens where nothing is held, so a second call does no harm.

    Args:
        paid: credits; never more is taken than was reserved.
    """
    _end_holds(merchant_id, {job_id: paid})


def release_many(*, merchant_id: UUID, job_ids: Iterable[UUID]) -> None:
    """Give back all that these jobs hold, in the caller's transaction; as :func:`settle` with nothing paid."""
    _end_holds(merchant_id, dict.fromkeys(job_ids, 0))


def _end_holds(merchant_id: UUID, paid: Mapping[UUID, int]) -> None:
    with merchant_scope(merchant_id), transaction.atomic(savepoint=False):
        if not LedgerEntry.objects.filter(job_id__in=list(paid)).exists():
            return  # of a time before credits, or free: no account need be opened for it
        row = _lock(merchant_id)
        known = _rounds(paid)
        moves = [move for job in paid if _holds(job, known) for move in _endings(job, paid[job], *known[job])]
        _write(row, moves)


def _endings(job: UUID, paid: int, round_: int, held: int) -> Iterator[Move]:
    """One capture, one release, or one of each."""
    taken = min(max(paid, 0), held)
    if taken:
        yield Move(Kind.CAPTURE, 0, -taken, job_id=job, round=round_)
    if held - taken:
        yield Move(Kind.RELEASE, held - taken, taken - held, job_id=job, round=round_)


def give_free(*, merchant_id: UUID, job_id: UUID, most: int, note: str) -> None:
    """Write down that a job costs nothing, in the caller's transaction; so many a month and no more.

    Raises:
        Conflict: ``free_used_up``: this month's are used.
    """
    with merchant_scope(merchant_id), transaction.atomic(savepoint=False):
        row = _lock(merchant_id)  # or two that ask at once would both be the last
        if free_used() >= most:
            words = _("You have used the %(most)d free retries of this month. Order it again instead.")
            raise Conflict("free_used_up", words % {"most": most})
        period = month_of(timezone.now())
        _write(row, [Move(Kind.FREE, 0, job_id=job_id, period=period, note=note[:300])])


def free_used() -> int:
    """Free jobs of this month, of the open scope's merchant."""
    return int(LedgerEntry.objects.filter(kind=Kind.FREE, period=month_of(timezone.now())).count())


# --- months, staff, plans --------------------------------------------------------------------------------------------
def top_up_due() -> int:
    """This month's credits for everybody who has not had them; how many got them. The sweep calls it."""
    period = month_of(timezone.now())
    with unscoped("this month's credits"):
        had = LedgerEntry.objects.filter(kind=Kind.MONTHLY, period=period).values("merchant_id")
        waiting = CreditAccount.objects.filter(merchant__status=Merchant.Status.ACTIVE).exclude(merchant_id__in=had)
        merchants = list(waiting.values_list("merchant_id", flat=True))
    return sum(_top_up(merchant_id, period) for merchant_id in merchants)


def _top_up(merchant_id: UUID, period: str) -> bool:
    """One merchant's, in a transaction of its own; False when another machine was faster."""
    with merchant_scope(merchant_id), transaction.atomic():
        row = _lock(merchant_id)
        if LedgerEntry.objects.filter(kind=Kind.MONTHLY, period=period).exists():
            return False
        _give_month(row, plan_of(Merchant.objects.select_related("plan").get(pk=merchant_id)))
    return True


def _give_month(row: CreditAccount, plan: Plan) -> None:
    """The month's entry is written even when the balance is full: it says that the month has been."""
    _write(row, [Move(Kind.MONTHLY, _due(row, plan), period=month_of(timezone.now()))])


def _due(row: CreditAccount, plan: Plan) -> int:
    """What of this month's credits is still to come, and fits under the most that may be saved."""
    given = LedgerEntry.objects.filter(period=month_of(timezone.now())).aggregate(sum=Sum("available_change"))["sum"]
    return max(0, min(plan.monthly_credits - (given or 0), plan.most_saved - row.available - row.held))


def grant(*, merchant_id: UUID, amount: int, by: User | None, note: str) -> LedgerEntry:
    """Give credits, or take a mistake back with a negative amount; staff's.

    Raises:
        Refused: ``amount_zero``; ``grant_below_zero``: the balance is smaller than what is to be taken.
    """
    if not amount:
        raise Refused("amount_zero", _("Give an amount other than zero."), field="amount")
    with merchant_scope(merchant_id), transaction.atomic():
        row = _lock(merchant_id)
        if row.available + amount < 0:
            words = _("This shop has only %(balance)d credits; take at most these.") % {"balance": row.available}
            raise Refused("grant_below_zero", words, field="amount")
        return _write(row, [Move(Kind.GRANT, amount, note=note[:300], by=by)])[0]


def change_plan(*, merchant_id: UUID, plan: Plan, by: User | None) -> None:
    """Put a merchant on a plan: its limits bind at once, and what its month has more than was given comes at once."""
    with merchant_scope(merchant_id), transaction.atomic():
        Merchant.objects.filter(pk=merchant_id).update(plan=plan, **limits(plan))
        row = _lock(merchant_id)
        more = _due(row, plan)
        if more:
            _write(row, [Move(Kind.GRANT, more, period=month_of(timezone.now()), note=plan.title, by=by)])


# --- the one way in --------------------------------------------------------------------------------------------------
def _lock(merchant_id: UUID) -> CreditAccount:
    """The account as it is, until the transaction ends nobody else's; made when there is none yet."""
    rows = CreditAccount.objects.select_for_update().filter(merchant_id=merchant_id)
    found: CreditAccount | None = rows.first()
    if found is None:
        _open(merchant_id)
        found = rows.get()
    return found


def _rounds(jobs: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """By job: its last round, and how much it holds now. Jobs that never held are missing."""
    rows = LedgerEntry.objects.filter(job_id__in=list(jobs)).order_by().values("job_id")
    return {
        row["job_id"]: (row["last"], row["held"]) for row in rows.annotate(last=Max("round"), held=Sum("held_change"))
    }


def _write(row: CreditAccount, moves: Sequence[Move]) -> list[LedgerEntry]:
    """Change an account that was locked and read, so that its sums are known to reach."""
    entries = _try_write(row.merchant_id, moves)
    if entries is None:
        raise RuntimeError(f"the account of merchant {row.merchant_id} is not what was read under its lock")
    return entries


def _try_write(merchant_id: UUID, moves: Sequence[Move]) -> list[LedgerEntry] | None:
    """Change the account and write the entries with the sums after each; None when it has not that much."""
    if not moves:
        return []
    available, held = sum(move.available for move in moves), sum(move.held for move in moves)
    after = _add(merchant_id, available, held)
    if after is None:
        return None
    entries = list(_entries(merchant_id, moves, after[0] - available, after[1] - held))
    LedgerEntry.objects.bulk_create(entries)
    return entries


def _add(merchant_id: UUID, available: int, held: int) -> tuple[int, int] | None:
    """The sums after a conditional UPDATE, told by the same statement; None when it changed nothing."""
    key = CreditAccount._meta.get_field("merchant").get_db_prep_value(merchant_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_creditaccount SET available = available + %s, held = held + %s"
            " WHERE merchant_id = %s AND available >= %s AND held >= %s RETURNING available, held",
            (available, held, key, -available, -held),
        )
        found: tuple[int, int] | None = cursor.fetchone()
    return found


def _entries(merchant_id: UUID, moves: Sequence[Move], available: int, held: int) -> Iterator[LedgerEntry]:
    """Ids are dealt in order, so that newest first shows each balance after the one it came from."""
    for identity, move in zip(sorted(uuid7() for _move in moves), moves, strict=True):
        available, held = available + move.available, held + move.held
        yield LedgerEntry(
            pk=identity,
            merchant_id=merchant_id,
            kind=move.kind,
            available_change=move.available,
            held_change=move.held,
            available_after=available,
            held_after=held,
            job_id=move.job_id,
            round=move.round,
            period=move.period,
            note=move.note,
            by=move.by,
        )
