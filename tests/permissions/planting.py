"""A row in every table of merchants, with a canary in every text of it: built from the models, so none is missed."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from accounts import tables
from accounts.scoping import merchant_scope

# Texts that something reads by a grammar: a canary goes where the grammar has room for one.
KEYS = ("key", "mask_key")


def plant(merchant: Any, canary: str, user: Any) -> dict[str, Any]:
    """Make the rows; returns them by the label of their model."""
    planted: dict[str, Any] = {}
    with merchant_scope(merchant):
        for model in reversed(tables.children_first()):
            if model._meta.label == "accounts.Membership":
                planted[model._meta.label] = model.objects.get(user=user)
                continue
            row = model(merchant=merchant)
            for field in model._meta.concrete_fields:
                if field.name != "merchant" and not field.primary_key:
                    setattr(row, field.attname, _value(field, merchant, canary, user, planted))
            row.save()
            planted[model._meta.label] = row
    return planted


def _value(field: Any, merchant: Any, canary: str, user: Any, planted: dict[str, Any]) -> Any:
    if isinstance(field, models.ForeignKey):
        return _related(field, user, planted)
    if field.name in KEYS:
        return file_key(merchant, canary)
    if isinstance(field, models.JSONField):
        shape = SHAPES.get(f"{field.model.__name__}.{field.name}") or SHAPES.get(field.name)
        return shape(merchant, canary) if shape else {"canary": canary}
    if isinstance(field, models.EmailField):
        return f"{canary}@example.com"
    if isinstance(field, models.CharField | models.TextField):
        return field.get_default() or field.choices[0][0] if field.choices else _text(field, canary)
    return _plain(field)


def _related(field: Any, user: Any, planted: dict[str, Any]) -> Any:
    label = field.related_model._meta.label
    if label == "accounts.User":
        return user.pk
    return planted[label].pk if label in planted else None  # a table that points at itself


def _text(field: Any, canary: str) -> str:
    assert field.max_length is None or len(canary) <= field.max_length, (field, "is too short for a canary")
    return canary


def _plain(field: Any) -> Any:
    hiding = ("deleted_at", "revoked_at", "cancel_requested_at", "accepted_at")
    if field.name in hiding or f"{field.model.__name__}.{field.name}" == "Publication.ended_at":
        return None  # or the row would be out of sight
    if isinstance(field, models.DateTimeField):
        return timezone.now() + datetime.timedelta(days=1 if field.name == "expires_at" else 0)
    default = field.get_default()
    return default if default is not None or field.null else 1


def file_key(merchant: Any, canary: str) -> str:
    """A storage key with the canary where the random part is."""
    return f"m/{merchant.pk}/asset/aa/{canary}.webp"


def _files(merchant: Any, canary: str) -> dict[str, Any]:
    one = {"key": file_key(merchant, canary), "width": 2, "height": 3, "bytes": 4, "sha256": canary}
    return {variant: dict(one) for variant in ("full", "display", "large", "medium", "small")}


def _order(merchant: Any, canary: str) -> dict[str, Any]:
    order = {"seed": 1, "count": 1, "best_of": 1, "canary": canary}
    return {"op": "shoot", "body": {"order": order}, "files": {"order.photo": file_key(merchant, canary)}}


def _training_order(merchant: Any, canary: str) -> dict[str, Any]:
    entry = {"asset": canary, "key": file_key(merchant, canary), "crop": None, "mask": None, "caption": canary}
    entries = [entry | {"view": "front", "kind": "garment", "held_out": False}]
    return {"op": "train", "plan": {"canary": canary}, "trigger": canary, "noun": "dress", "entries": entries}


def _grid_order(merchant: Any, canary: str) -> dict[str, Any]:
    base = {"prompt": canary, "weight": 1.0, "seed": 1, "checkpoint": None}
    return {"axes": [{"name": "weight", "values": [0.5, 1.0]}], "base": base, "steps": []}


def _preflight(merchant: Any, canary: str) -> dict[str, Any]:
    problem = {"code": canary, "message": canary, "remedy": canary, "severity": "warn", "pictures": []}
    picture = {"id": canary, "view": "front", "mask": file_key(merchant, canary), "crops": []}
    return {"problems": [problem], "buckets": [], "held_out": [], "steps": 10, "seconds": 1.0, "pictures": [picture]}


SHAPES: dict[str, Any] = {
    "FashnRun.inputs": lambda merchant, canary: {"prompt": canary, "image": {"key": file_key(merchant, canary)}},
    "output": lambda merchant, canary: [file_key(merchant, canary)],
    "refusal": lambda merchant, canary: {"code": "input_invalid", "message": canary},
    "Training.order": _training_order,
    "Comparison.order": _grid_order,
    "Preflight.found": _preflight,
    "crop": lambda merchant, canary: [0, 0, 2, 3],
    "state": lambda merchant, canary: {"state.json": file_key(merchant, canary)},
    "papers": lambda merchant, canary: {name: file_key(merchant, canary) for name in ("sheet", "csv")},
    "choice": lambda merchant, canary: {"best": 0, "reasons": [canary], "flags": [canary], "overtrained_from": None},
    "files": _files,
    "Publication.files": lambda merchant, canary: {
        f"{size}.{suffix}": _files(merchant, canary)["full"]
        for size in ("list", "card", "detail")
        for suffix in ("jpg", "webp")
    },
    "thumbs": lambda merchant, canary: {size: file_key(merchant, canary) for size in ("small", "medium", "large")},
    "table": lambda merchant, canary: {
        part: file_key(merchant, canary) for part in ("sheet", "source", "mask", "skeleton")
    },
    "order": _order,
    "recipe": lambda merchant, canary: {"format": 1, "seed": 1, "canary": canary, "batch": {"seeds": [1], "index": 0}},
    "report": lambda merchant, canary: {
        "verdict": "good",
        "reasons": [{"code": canary, "message": canary}],
        "garment": {"reason": canary},
    },
    "problems": lambda merchant, canary: [{"line": 1, "code": canary, "text": canary, "params": None}],
    "landmarks": lambda merchant, canary: None,
    "PhotoSkeleton.landmarks": lambda merchant, canary: [[7.0, 9.0, 0.0, 1.0]] * 33,
    "secrets": lambda merchant, canary: [],  # sealed ones, which nobody can make up
    "assets": lambda merchant, canary: [],
    "skipped": lambda merchant, canary: [canary],
    "events": lambda merchant, canary: [canary],
}
