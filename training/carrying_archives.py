"""What a worker does with a set's zip: lay it out and pack it, or unpack it and take what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imodel_site.lib import storage, workplace
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.work import LostLease, Work
from studio.errors import InputError
from training import datasets
from training.models import SetArchive
from training.services import archives

SHARE = 0.9  # of the bar; the rest is putting away


def pack(work: Work) -> None:
    """The set's pictures, captions and masks as a zip; the file first, then the row."""
    from studio.dataset.archives import pack as write_zip

    row: SetArchive = work.job
    with workplace.folder(row.merchant_id) as folder:
        work.progress("packing", 0.0)
        laid_out = datasets.write(archives.contents(row), folder)
        work.stop_if_asked()
        work.progress("packing", 0.5)
        zipped = folder / "set.zip"
        write_zip(laid_out, zipped)
        work.stop_if_asked()
        work.progress("storing", SHARE)
        facts = archives.packed(row, zipped)
    try:
        work.finish(**facts)
    except LostLease:
        storage.delete(facts["key"])
        raise


def take_in(work: Work) -> None:
    """Every picture through the door that uploads come by; the set only once all of them are in."""
    from studio.dataset.archives import unpack
    from studio.dataset.folders import mask_png, read_folder

    row: SetArchive = work.job
    with workplace.folder(row.merchant_id) as folder, datasets.local(row.key) as zipped:
        work.progress("unpacking", 0.0)
        unpacked = unpack(zipped, folder / "set")
        dataset = read_folder(unpacked.folder)
        archives.check_dataset(dataset)
        with _taken_back_if_lost() as taken:
            for number, entry in enumerate(dataset.entries):
                work.stop_if_asked()
                work.progress("unpacking", SHARE * number / len(dataset.entries))
                taken.append(archives.take_picture(row, entry, mask_png))
            skipped = [name[:240] for name in unpacked.skipped[: archives.TOLD]]
            work.finish(lambda: archives.made_of(row, dataset, taken), skipped=skipped)
    storage.delete(row.key)


@contextmanager
def _taken_back_if_lost() -> Iterator[list[archives.Taken]]:
    """After these errors nothing was written; after any other it may have been, and the collector decides."""
    taken: list[archives.Taken] = []
    try:
        yield taken
    except (InputError, Refused, LostLease):
        archives.take_back(taken)
        raise
