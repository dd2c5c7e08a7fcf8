"""How long an archive of many pictures takes, and how much memory: python -m bench.exports --pictures 100000

Files are small, so that what is measured is ours and not the disk's. SQLite, local files, one process.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=2_000, help="of each file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-exports-"))
    try:
        _set_up(folder)
        merchant, owner = _fill(args.pictures, args.bytes)
        _measure(merchant, owner, args.pictures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(folder: Path) -> None:
    os.environ.update(IMODEL_DATA=str(folder), DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.jobs.site")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _fill(pictures: int, size: int) -> tuple[Any, Any]:
    from django.utils import timezone

    from accounts.models import Membership, Merchant, User
    from accounts.scoping import merchant_scope
    from generation.models import Picture, Shoot
    from imodel_site.lib import storage

    owner = User.objects.create_user("owner@example.com")
    merchant = Merchant.objects.create(name="Bench")
    with merchant_scope(merchant):
        Membership.objects.create(user=owner, merchant=merchant, role="owner")
        shoot = Shoot.objects.create(status="succeeded", queued_at=timezone.now())
        root = Path(storage.private().path("m"))
        for first in range(0, pictures, 1000):
            rows = [_picture(merchant, shoot, n, size, root) for n in range(first, min(first + 1000, pictures))]
            Picture.objects.bulk_create(rows)
    return merchant, owner


def _picture(merchant: Any, shoot: Any, number: int, size: int, root: Path) -> Any:
    from generation.models import Picture
    from imodel_site.lib import storage

    files = {}
    for variant in ("full", "display", "large", "medium", "small"):
        key = storage.new_key(merchant.pk, "shoots", "png" if variant == "full" else "webp")
        path = root.parent / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))  # not through storage: its flushing would be most of the preparation
        files[variant] = {"key": key, "width": 2, "height": 3, "bytes": size}
    facts = {"files": files, "width": 2, "height": 3, "seed": number, "verdict": "good", "kind": "model"}
    return Picture(merchant=merchant, shoot=shoot, index=number % 30_000, token=1 + number // 30_000, **facts)


def _measure(merchant: Any, owner: Any, pictures: int) -> None:
    from accounts.models import Export
    from accounts.scoping import merchant_scope
    from tests.exports.filling import ask, work_it_off

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    export = ask(merchant, owner)
    began = time.monotonic()
    slices = work_it_off(seconds=30)
    took = time.monotonic() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    with merchant_scope(merchant):
        export = Export.objects.get(pk=export.pk)
    assert export.status == "succeeded", export.error_message
    print("| pictures | files | seconds | files/s | slices | archive MB | peak memory grew by MB |")
    print("|---|---|---|---|---|---|---|")
    figures = (pictures, export.files, f"{took:.0f}", f"{export.files / took:.0f}", slices, export.bytes // 10**6)
    print("| " + " | ".join(map(str, (*figures, grown // 1024))) + " |")


if __name__ == "__main__":
    main()
