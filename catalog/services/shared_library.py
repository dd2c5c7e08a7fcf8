"""The library that comes with iModel: studio's own personas, scenes and poses as rows that everybody sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts.scoping import unscoped
from catalog.models import Persona, Pose, Scene
from studio.pose.library import POSES
from studio.shoot.presets import PERSONAS, SCENES


def seed_library() -> int:
    """Write what is missing or has changed, by name; how many rows. Running it twice changes nothing.

    A name that studio no longer has stays: pictures were made with it.
    """
    with unscoped("the shared library belongs to everybody"), transaction.atomic():
        return sum(_write(model, rows) for model, rows in _wanted().items())


def _wanted() -> Mapping[type[Any], Iterable[Mapping[str, Any]]]:
    personas = (
        {"name": p.name, "title": p.title, "words": p.words, "below": p.below, "above": p.above}
        for p in PERSONAS.values()
    )
    scenes = ({"name": s.name, "title": s.title, "words": s.words} for s in SCENES.values())
    poses = ({"name": p.name, "title": p.title} for p in POSES.values())
    return {Persona: personas, Scene: scenes, Pose: poses}


def _write(model: type[Any], rows: Iterable[Mapping[str, Any]]) -> int:
    there = {row.name: row for row in model.objects.filter(merchant=None)}
    folder, changed = f"{model._meta.model_name}s", 0
    for position, row in enumerate(rows):
        values = {**row, "position": position, "picture": f"library/{folder}/{row['name']}.webp"}
        found = there.get(row["name"]) or model(merchant=None)
        if any(getattr(found, key) != value for key, value in values.items()):
            for key, value in values.items():
                setattr(found, key, value)
            found.save()
            changed += 1
    return changed
