"""Fills a merchant, and looks for it everywhere."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import QuerySet

from accounts import tables
from accounts.models import Export
from accounts.scoping import merchant_scope, unscoped
from accounts.services import exporting
from imodel_site.lib import storage
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.work import Work
from tests.permissions.planting import plant

OUTLIVE = ("accounts_auditentry", "accounts_deletionreport")


@dataclass(frozen=True)
class Filled:
    """A merchant, its rows, and its files by storage key."""

    merchant: Any
    canary: str
    rows: dict[str, Any]
    files: dict[str, bytes]


def fill(merchant: Any, user: Any, canary: str) -> Filled:
    """A row in every table, each with files of its own, and a file of a kind that no room has registered."""
    planted = plant(merchant, canary, user)
    files: dict[str, bytes] = {}

    def file(kind: str, suffix: str = "webp") -> str:
        key = storage.new_key(merchant.pk, kind, suffix)
        files[key] = f"{canary} {kind} ".encode() + secrets.token_bytes(300)
        storage.put(key, files[key])
        return key

    with merchant_scope(merchant):
        _point(planted["catalog.Asset"], key=file("asset", "jpg"), thumbs={"small": file("asset")})
        parts = [{"part": "top", "key": file("look", "png")}]
        _point(planted["catalog.Look"], found={"parts": parts, "skeleton": file("look", "png")})
        _point(planted["catalog.GarmentMask"], key=file("mask", "png"))
        _point(planted["catalog.Embedding"], key=file("embedding", "npy.gz"))
        _point(planted["catalog.CatalogImport"], key=file("import", "csv"))
        order = {"files": {"order.mask": file("orders", "png")}, "canary": canary}
        papers = {paper: file("shoots", "png") for paper in ("sheet", "source", "mask", "skeleton")}
        _point(planted["generation.Shoot"], table=papers, order=order)
        variants = {name: {"key": file("shoots", "png"), "width": 2, "height": 3} for name in ("full", "display")}
        _point(planted["generation.Picture"], files=variants)
        sent = {"image": {"key": file("fashn", "bin")}}
        _point(planted["generation.FashnRun"], output=[file("fashn", "png")], inputs=sent)
        _train(planted, file)
        published = {"card.webp": {"key": file("published"), "width": 2, "height": 3}}
        _point(planted["selling.Publication"], files=published)
        Export.objects.update(status="succeeded", key=storage.new_key(merchant.pk, "export", "zip"))
        storage.put(Export.objects.get().key, canary.encode())
        file("relics", "bin")
    return Filled(merchant, canary, planted, files)


def _train(planted: dict[str, Any], file: Any) -> None:
    """Files of the training room."""
    _point(planted["training.TrainingPicture"], mask_key=file("trainset", "png"))
    crops = [{"box": [0, 0, 1, 1], "mask": file("trainset", "png")}]
    pictures = [{"id": "1", "view": "front", "mask": file("trainset", "png"), "crops": crops}]
    _point(planted["training.Preflight"], found={"pictures": pictures})
    _point(planted["training.Training"], order={"entries": []})
    _point(planted["training.TrainingSample"], key=file("trainings"))
    state = {"state.json": file("trainings", "json")}
    _point(planted["training.Checkpoint"], key=file("trainings", "safetensors"), state=state)
    _point(planted["training.AdapterVersion"], key=file("adapters", "safetensors"))
    _point(planted["training.SetArchive"], key=file("setarchive", "zip"))
    _point(planted["training.AdapterUpload"], key=file("adapters", "safetensors"))
    _point(planted["training.Comparison"], papers={"sheet": file("grids", "png"), "csv": file("grids", "csv")})
    _point(planted["training.ComparisonCell"], key=file("grids"))


def _point(row: Any, **columns: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**columns)


def ask(merchant: Any, user: Any) -> Export:
    """An owner asks for an archive."""
    from accounts import actors
    from accounts.models import Membership

    with merchant_scope(merchant):
        membership = Membership.objects.select_related("merchant", "user").get(user=user)
        return exporting.start_export(actor=actors.member(membership))


def claim() -> Work:
    """As a worker does."""
    work = claim_next("light", "test:1", models=[Export])
    assert work is not None
    return work


def work_it_off(seconds: float = 60.0) -> int:
    """Until nothing waits; how many slices it took."""
    slices = 0
    while (work := claim_next("light", "test:1", models=[Export])) is not None:
        with merchant_scope(work.job.merchant_id):
            carry_out(work, lambda work: exporting.carry_out(work, seconds=seconds))
        slices += 1
    return slices


def rows_of(merchant_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Every row that the merchant may take along, as the database has it now."""
    found = {}
    with unscoped("test"):
        for model in tables.owned():
            rows = QuerySet(model).filter(merchant_id=merchant_id).order_by("pk").values()
            secret = [field.attname for field in model._meta.concrete_fields if field.name in _secrets(model)]
            found[model._meta.db_table] = [
                {name: value for name, value in json.loads(_json(row)).items() if name not in secret} for row in rows
            ]
    return found


def _json(row: Any) -> str:
    return json.dumps(row, cls=DjangoJSONEncoder)


def _secrets(model: Any) -> tuple[str, ...]:
    return getattr(model, "secret_columns", ())


def traces(merchant_id: UUID, canary: str) -> list[str]:
    """Where anything of a merchant is left: each table's rows, files, cache, folders."""
    words = (str(merchant_id), merchant_id.hex, canary)
    return [where for where, text in _everything() if any(word in text for word in words)]


def _everything() -> Iterator[tuple[str, str]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and model._meta.db_table not in OUTLIVE:
            with unscoped("test"), connection.cursor() as cursor:
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                for row in cursor.fetchall():
                    yield model._meta.db_table, repr(row) + _decoded(model, row)
    for stored in storage.private().listed("m/"):
        yield "storage", stored.key
    for key in getattr(cache, "_cache", {}):
        yield "cache", key
    for path in Path(settings.WORK_DIR).rglob("*"):
        yield "folders", str(path)


def _decoded(model: Any, row: Any) -> str:
    """What a session says: it is packed."""
    if model._meta.label != "sessions.Session":
        return ""
    return repr(model.objects.get(pk=row[0]).get_decoded())
