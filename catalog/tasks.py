"""The catalog's work in the light lane: looking at a photo, embedding it, and carrying out an import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.models import CatalogImport, Embedding, Look
from catalog.services import embeddings, importing, looks, segmenters
from imodel_site.lib import storage, workplace
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.registry import runner
from imodel_site.lib.jobs.work import Work


@runner(Look)
def look_at_photo(work: Work) -> None:
    """Ask the light executor for masks and pose, store its files, then the row."""
    asset = work.job.asset
    with workplace.folder(asset.merchant_id) as folder, executors.borrow("light") as executor:
        with storage.local_path(asset.key) as photo:
            done = executor.run(
                {"op": "propose", "id": f"{work.job.pk}/{work.token}", "photo": str(photo), "out": f"{folder}/out"},
                on_event=lambda event: _progress(work, event),
                should_cancel=work.should_stop,
            )
        work.stop_if_asked()
        found = looks.store(merchant_id=asset.merchant_id, done=done, read=lambda path: Path(path).read_bytes())

    def write() -> None:
        looks.fill_poses(asset=asset, found=found)
        looks.keep_finding(asset=asset, finding=done.get("finding"))

    work.finish(write=write, found=found)


def _progress(work: Work, event: Mapping[str, Any]) -> None:
    if event.get("event") == "progress":
        work.progress("look", float(event.get("fraction") or 0.0))


@runner(Embedding)
def embed_photo(work: Work) -> None:
    """Ask the light executor for the photo's embedding; store its decoder, the file, then the row."""
    asset = work.job.asset
    with workplace.folder(asset.merchant_id) as folder, executors.borrow("light") as executor:
        with storage.local_path(asset.key) as photo:
            order = {"photo": str(photo), "out": f"{folder}/out", "family": segmenters.family_of(work.job.encoder)}
            done = executor.run(
                {"op": "embed", "id": f"{work.job.pk}/{work.token}", **order},
                on_event=lambda event: _progress(work, event),
                should_cancel=work.should_stop,
            )
        work.stop_if_asked()
        if done["decoder"] is not None:
            said = done["decoder"]
            data = Path(said["file"]).read_bytes()
            segmenters.keep_decoder(encoder=done["encoder"], sha256=said["sha256"], data=data)
        stored = embeddings.store(merchant_id=asset.merchant_id, data=Path(done["file"]).read_bytes())
    work.finish(write=lambda: embeddings.written(job=work.job, done=done), **stored)


@runner(CatalogImport)
def import_catalog(work: Work) -> None:
    """Row by row; a row that was done before a worker was lost is not done again."""
    importing.carry_out(work)
