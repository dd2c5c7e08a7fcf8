"""Which files of shoots and pictures can be asked for, and what they are called."""

from __future__ import annotations

from typing import Any

from catalog.services import masks
from generation import publishing
from generation.models import FashnRun, Picture, Shoot
from generation.moderation import states
from generation.services.uploads import KIND as ORDERS
from generation.surfaces.fashn import answers as fashn
from generation.surfaces.fashn import services as runs
from generation.surfaces.fashn.pictures import KIND as RUNS
from imodel_site.lib import signing, storage

TYPES = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}


def register() -> None:
    """Called once, when Django is ready."""
    signing.register(signing.Kind("picture", Picture, _picture, lambda row, __, bearer: row.open_to(bearer=bearer)))
    signing.register(signing.Kind("shoot", Shoot, _table, states.table_open))
    signing.register(signing.Kind(fashn.KIND, FashnRun, fashn.file_of))
    storage.register_kind(RUNS, runs.referred_keys)
    masks.register_user(publishing.keys_of_orders)
    storage.register_kind(publishing.KIND, publishing.keys_of)
    storage.register_kind(ORDERS, publishing.keys_of_orders)


def _picture(picture: Any, variant: str) -> signing.File | None:
    file = picture.files.get(variant)
    return None if file is None else _file(file["key"], f"{picture.pk}-{variant}")


def _table(shoot: Any, variant: str) -> signing.File | None:
    key = shoot.table.get(variant)
    return _file(key, f"{shoot.pk}-{variant}") if key else None


def _file(key: str, name: str) -> signing.File:
    suffix = key.rsplit(".", 1)[-1]
    return signing.File(key, TYPES.get(suffix, "application/octet-stream"), f"{name}.{suffix}")
