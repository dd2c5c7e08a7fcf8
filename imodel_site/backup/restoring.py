"""Into an empty place: rows, files, and then whatever was under way is put where a worker can begin it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.management.base import CommandError
from django.db import transaction
from django_q.models import OrmQ

from accounts.models import Merchant, WebhookDelivery
from imodel_site.backup import databases, vault
from imodel_site.backup.vault import Kept, Manifest, Vault
from imodel_site.lib import storage
from imodel_site.lib.jobs.losses import release_worker
from imodel_site.lib.jobs.registry import lane_models
from imodel_site.lib.scope import merchant_scope, unscoped
from imodel_site.up.prepare import make_folders, migrate

Say = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    """What came of it. ``missing``: files that rows name and the backup does not hold."""

    rows: int
    files: int
    jobs: int
    missing: list[str]


def find(source: Path) -> Path:
    """The snapshot meant: this one, or the newest in this folder.

    Raises:
        CommandError: there is none.
    """
    if (source / vault.MANIFEST).is_file():
        return source
    found = Vault(source).snapshots()
    if not found:
        raise CommandError(f"{source} holds no whole backup.")
    return found[-1]


def check(place: Path, *, say: Say) -> Manifest:
    """Read everything and compare it with its SHA-256; writes nothing.

    Raises:
        CommandError: something is missing or damaged, and what.
    """
    manifest, store = vault.read_manifest(place), _store_of(place)
    for kept in vault.read_files(place):
        for _piece in store.read(kept):
            pass
    say(f"{place}: {sum(manifest.rows.values()):,} rows and {manifest.files:,} files of {manifest.made}, all whole.")
    return manifest


def restore(place: Path, *, say: Say) -> Restored:
    """Put a snapshot into this installation's empty database and storage.

    Raises:
        CommandError: the place is not empty, the database is of another kind, or the backup is not whole. Whatever is
            found later leaves an installation to be emptied and restored anew.
    """
    manifest, store = vault.read_manifest(place), _store_of(place)
    make_folders()
    _refuse_unfit(manifest)
    missing = [kept.key for kept in vault.read_files(place) if not store.holds(kept)]
    if missing:
        raise CommandError(f"The contents of {len(missing)} files are missing from {store.folder}, first {missing[0]}.")
    say("Loading rows ...")
    databases.load(place / manifest.database)
    _compare(manifest)
    migrate()  # role, grants and policies, and what is newer than the backup
    say("Copying files ...")
    files = bring_files(place)
    jobs = set_going_again()
    return Restored(sum(manifest.rows.values()), files, jobs, list(lost_files()))


def _store_of(place: Path) -> Vault:
    return Vault(place.resolve().parents[1])


def _refuse_unfit(manifest: Manifest) -> None:
    if databases.vendor() != manifest.vendor:
        raise CommandError(f"This backup is of {manifest.vendor}, and DATABASE_URL names {databases.vendor()}.")
    if not databases.empty():
        raise CommandError("The database is not empty. Restore into a new one, and point DATABASE_URL there.")
    if next(iter(storage.private().folders("m/")), None) is not None:
        raise CommandError("The storage is not empty. Restore into a new folder or prefix (IMODEL_STORAGE).")


def _compare(manifest: Manifest) -> None:
    """Before anything is changed: each table has the rows that were counted when it was copied."""
    found = databases.counts()
    wrong = [name for name, count in manifest.rows.items() if found.get(name) != count]
    if wrong:
        raise CommandError(
            f"{len(wrong)} tables came back with other numbers of rows, first {wrong[0]}: "
            f"{found.get(wrong[0])} instead of {manifest.rows[wrong[0]]}. Empty the database and try again."
        )


def bring_files(place: Path) -> int:
    """Put a snapshot's files into the storage; how many.

    Raises:
        CommandError: one did not arrive at its length.
    """
    store = _store_of(place)
    return sum(_put(store, kept) for kept in vault.read_files(place))


def _put(store: Vault, kept: Kept) -> bool:
    with store.object(kept.sha256).open("rb") as file:
        storage.put_file(kept.key, File(file))
    if storage.private().stat(kept.key).bytes != kept.bytes:
        raise CommandError(f"{kept.key} did not arrive whole. Empty the storage and try again.")
    return True


# --- what was under way ---------------------------------------------------------------------------------------------
def set_going_again() -> int:
    """Running jobs back into the queue, without blame; how many. Their workers are of another life.

    Waiting webhook deliveries keep their ids, so that a receiver that has had one knows it again. Wake-ups are thrown
    away: the sweep writes new ones, signed with today's key.
    """
    from django.conf import settings

    with unscoped("restore: nobody works here yet"), transaction.atomic():
        OrmQ.objects.all().delete()
        WebhookDelivery.objects.filter(status="waiting").update(lease_until=None)
        return sum(release_worker(lane_models(lane), "", blame=False) for lane in settings.LANES)


def lost_files() -> Iterator[str]:
    """The files that rows name and the storage does not have."""
    for merchant_id in Merchant.objects.values_list("pk", flat=True):
        there = {found.key for found in storage.private().listed(f"m/{merchant_id}/")}
        yield from sorted(set(_named(merchant_id)) - there)


def _named(merchant_id: UUID) -> Iterator[str]:
    with merchant_scope(merchant_id):
        for refers in storage.referrers().values():
            yield from (key for key in refers(merchant_id) if key.startswith(f"m/{merchant_id}/"))


def told(done: Restored) -> dict[str, Any]:
    """For --json."""
    return {"rows": done.rows, "files": done.files, "jobs": done.jobs, "missing": done.missing}
