"""What trainings, grids and adapters are called in a merchant's archive (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.exporting.names import Named, part, suffix_of
from accounts.models.moderation import Moderation
from training.models import (
    AdapterUpload,
    AdapterVersion,
    Checkpoint,
    Comparison,
    ComparisonCell,
    SetArchive,
    TrainingPicture,
    TrainingSample,
    TrainingSource,
)
from training.services import archives

AT_ONCE = 500
MODERATION = "moderation"


def named_files(merchant_id: UUID) -> Iterator[Named]:
    """Everything of one training lies in one folder, adapters in theirs; what shows a rejected photo stays here."""
    for sample in _shown(TrainingSample, "training").iterator(chunk_size=AT_ONCE):
        place = f"trainings/{sample.training_id}/samples/{sample.step:06d}-{sample.number + 1}"
        yield Named(sample.key, f"{place}{suffix_of(sample.key)}", _why(sample))
    for row in _shown(Checkpoint, "training").iterator(chunk_size=AT_ONCE):
        yield from _of_checkpoint(row)
    for cell in _shown(ComparisonCell, "comparison__training").iterator(chunk_size=AT_ONCE):
        place = f"grids/{cell.comparison_id}/{cell.number + 1}"
        yield Named(cell.key, f"{place}{suffix_of(cell.key)}", _why(cell))
    for row in _shown(Comparison, "training").exclude(papers={}).iterator(chunk_size=AT_ONCE):
        for name, key in sorted(row.papers.items()):
            yield Named(key, f"grids/{row.pk}/{name}{suffix_of(key)}", _why(row))
    yield from _of_adapters()
    for picture in TrainingPicture.objects.exclude(mask_key="").select_related("asset").order_by("id"):
        why = MODERATION if picture.asset.rejected else ""
        yield Named(picture.mask_key, f"training-sets/{picture.set_id}/masks/{picture.pk}.png", why)
    for archive in SetArchive.objects.exclude(key="").order_by("id"):
        why = "" if archives.open_to(archive, bearer=False) else MODERATION
        yield Named(archive.key, f"training-sets/zips/{archive.pk}.zip", why)


def _shown(model: Any, way: str) -> Any:
    rejected = TrainingSource.objects.filter(training=OuterRef(way), asset__moderation=Moderation.REJECTED)
    return model.objects.annotate(shows_rejected=Exists(rejected)).order_by("id")


def _shown_versions() -> Any:
    own = TrainingSource.objects.filter(version=OuterRef("pk"), asset__moderation=Moderation.REJECTED)
    trained = TrainingSource.objects.filter(training=OuterRef("training"), asset__moderation=Moderation.REJECTED)
    return AdapterVersion.objects.annotate(shows_rejected=Exists(own) | Exists(trained)).order_by("id")


def _why(row: Any) -> str:
    return MODERATION if row.shows_rejected else ""


def _of_checkpoint(row: Any) -> Iterator[Named]:
    folder = f"trainings/{row.training_id}/step-{row.step:06d}"
    yield Named(row.key, f"{folder}/adapter.safetensors", _why(row))
    for name, key in sorted(row.state.items()):
        yield Named(key, f"{folder}/{name}", _why(row))


def _of_adapters() -> Iterator[Named]:
    versions = _shown_versions().select_related("adapter")
    for row in versions.iterator(chunk_size=AT_ONCE):
        name = part(row.adapter.name, row.adapter_id)
        yield Named(row.key, f"adapters/{name}-{row.adapter_id.hex[-6:]}/v{row.number}.safetensors", _why(row))
    for row in AdapterUpload.objects.exclude(key="").order_by("id"):
        yield Named(row.key, f"adapters/uploads/{row.pk}.safetensors")
