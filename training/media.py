"""Which files of trainings, grids and adapters can be asked for, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import prefetch_related_objects

from catalog.services import masks
from imodel_site.lib import signing, storage
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import File, Kind
from training import adapter_bytes, inspecting, orders, resuming
from training.adapter_bytes import SAFETENSORS
from training.gridding import KIND as GRIDS
from training.listening import KIND as TRAININGS
from training.models import (
    AdapterUpload,
    AdapterVersion,
    Checkpoint,
    Comparison,
    ComparisonCell,
    Preflight,
    SetArchive,
    Training,
    TrainingPicture,
    TrainingSample,
)
from training.services import archives
from training.services.archives import KIND as ARCHIVES
from training.services.preflights import KIND as SETS
from training.services.uploads import KIND as ADAPTERS

TYPES = {"webp": "image/webp", "png": "image/png", "csv": "text/csv; charset=utf-8"}


def register() -> None:
    """Called once, when Django is ready."""
    signing.register(Kind("sample", TrainingSample, _sample, lambda row, __, bearer: is_open(row.training, bearer)))
    signing.register(Kind("cell", ComparisonCell, _cell, lambda row, __, bearer: is_open(_of(row), bearer)))
    signing.register(Kind("grid", Comparison, _paper, lambda row, __, bearer: is_open(row.training, bearer)))
    signing.register(Kind("checkpoint", Checkpoint, _checkpoint, lambda row, __, bearer: is_paid(row.training, bearer)))
    signing.register(Kind("adapter", AdapterVersion, _version, lambda row, __, bearer: is_version_open(row, bearer)))
    signing.register(Kind("setzip", SetArchive, _archive, lambda row, __, bearer: archives.open_to(row, bearer=bearer)))
    masks.register_user(_keys_of_orders)
    storage.register_kind(TRAININGS, _keys_of_trainings)
    storage.register_kind(GRIDS, _keys_of_grids)
    storage.register_kind(ADAPTERS, _keys_of_adapters)
    storage.register_kind(SETS, _keys_of_sets)
    storage.register_kind(ARCHIVES, _keys_of_archives)


def _of(cell: Any) -> Training:
    found: Training = cell.comparison.training
    return found


def is_open(training: Training | None, bearer: bool) -> bool:
    """Whether what came of a training may be handed out: as long as every photo that it learned from may be.

    Sources are read once for each instance: a list gives its rows one, by ``prefetch_related(OF_TRAINING)``.
    """
    if training is None:
        return True
    prefetch_related_objects([training], "sources__asset")
    return all(source.asset.open_to(bearer=bearer) for source in training.sources.all())


def is_version_open(version: AdapterVersion, bearer: bool) -> bool:
    """As :func:`is_open`, also of one whose training was deleted; lists read ahead by ``OF_VERSION``."""
    prefetch_related_objects([version], "sources__asset")
    own = all(source.asset.open_to(bearer=bearer) for source in version.sources.all())
    return own and is_open(version.training, bearer)


def is_paid(training: Training, bearer: bool) -> bool:
    """As :func:`is_open`; what a training has learned is handed out once its success has paid for it."""
    return training.status == Status.SUCCEEDED and is_open(training, bearer)


def _sample(row: Any, variant: str) -> File | None:
    return _file(row.key, f"{row.training_id}-{row.step:06d}-{row.number + 1}") if variant == "picture" else None


def _cell(row: Any, variant: str) -> File | None:
    return _file(row.key, f"{row.comparison_id}-{row.number + 1}") if variant == "picture" else None


def _paper(row: Any, variant: str) -> File | None:
    key = row.papers.get(variant)
    return _file(key, f"grid-{row.pk.hex[-6:]}") if key else None


def _checkpoint(row: Any, variant: str) -> File | None:
    name = f"{row.training.trigger}-step-{row.step:06d}.safetensors"
    return File(row.key, SAFETENSORS, name) if variant == "adapter" else None


def _version(row: Any, variant: str) -> File | None:
    name = f"{row.trigger or row.adapter.name}-v{row.number}"
    if variant == "kohya":
        return adapter_bytes.in_kohyas_layout(row.key, f"{name}-kohya.safetensors")
    return File(row.key, SAFETENSORS, f"{name}.safetensors") if variant == "adapter" else None


def _archive(row: SetArchive, variant: str) -> File | None:
    whole = variant == "zip" and row.way == SetArchive.Way.OUT and row.key and row.kept
    return File(row.key, "application/zip", row.name) if whole else None


def _file(key: str, name: str) -> File:
    suffix = key.rsplit(".", 1)[-1]
    return File(key, TYPES.get(suffix, SAFETENSORS), f"{name}.{suffix}")


# --- for the collector: every key that a row names ------------------------------------------------------------------
def _keys_of_trainings(merchant_id: Any) -> Iterator[str]:
    yield from TrainingSample.objects.values_list("key", flat=True).iterator(chunk_size=500)
    for checkpoint in Checkpoint.objects.only("merchant_id", "key", "state").iterator(chunk_size=500):
        yield from resuming.keys_of(checkpoint)
    yield from AdapterVersion.objects.values_list("key", flat=True).iterator(chunk_size=500)


def _keys_of_grids(merchant_id: Any) -> Iterator[str]:
    yield from ComparisonCell.objects.values_list("key", flat=True).iterator(chunk_size=500)
    for papers in Comparison.objects.exclude(papers={}).values_list("papers", flat=True).iterator(chunk_size=500):
        yield from (key for key in papers.values() if key)


def _keys_of_adapters(merchant_id: Any) -> Iterator[str]:
    yield from AdapterVersion.objects.values_list("key", flat=True).iterator(chunk_size=500)
    yield from AdapterUpload.objects.exclude(key="").values_list("key", flat=True).iterator(chunk_size=500)


def _keys_of_sets(merchant_id: Any) -> Iterator[str]:
    yield from TrainingPicture.objects.exclude(mask_key="").values_list("mask_key", flat=True)
    for found in Preflight.objects.exclude(found={}).values_list("found", flat=True).iterator(chunk_size=500):
        yield from inspecting.keys_of(found)
    yield from _keys_of_orders(merchant_id)


def _keys_of_archives(merchant_id: Any) -> Iterator[str]:
    """Those that are kept; a week after it was made the collector takes a zip."""
    yield from (row.key for row in SetArchive.objects.exclude(key="") if row.kept)


def _keys_of_orders(merchant_id: Any) -> Iterator[str]:
    for order in Training.objects.values_list("order", flat=True).iterator(chunk_size=500):
        yield from orders.keys_of(order)
