"""One function per kind of object: it gives the object, or refuses alike whatever the reason."""

from __future__ import annotations

from typing import Any

from accounts.access import access_row, allow_write
from accounts.actors import Actor
from catalog.models import Asset, CatalogImport, Garment, GarmentPhoto, Persona, Pose, Scene
from imodel_site.lib.errors import NotHere


def access_garment(actor: Actor, identity: Any, *, write: bool) -> Garment:
    """A garment of the actor's merchant."""
    if write:
        allow_write(actor)
    found: Garment = access_row(Garment.objects.all(), identity)
    return found


def access_photo(actor: Actor, identity: Any, *, write: bool) -> GarmentPhoto:
    """A photo, its garment and asset loaded."""
    if write:
        allow_write(actor)
    found: GarmentPhoto = access_row(GarmentPhoto.objects.select_related("garment", "asset"), identity)
    return found


def access_asset(actor: Actor, identity: Any, *, write: bool) -> Asset:
    """An uploaded picture."""
    if write:
        allow_write(actor)
    found: Asset = access_row(Asset.objects.all(), identity)
    return found


def access_import(actor: Actor, identity: Any, *, write: bool) -> CatalogImport:
    """A run of a CSV."""
    if write:
        allow_write(actor)
    found: CatalogImport = access_row(CatalogImport.objects.all(), identity)
    return found


def access_library(actor: Actor, model: type[Any], identity: Any, *, write: bool) -> Any:
    """A persona, scene or pose; only the merchant's own can be changed, shared ones answer as if missing."""
    if write:
        allow_write(actor)
    found = access_row(model.objects.select_related("asset"), identity)
    if write and found.merchant_id is None:
        raise NotHere()
    return found


def access_persona(actor: Actor, identity: Any, *, write: bool) -> Persona:
    """A persona, shared or own."""
    found: Persona = access_library(actor, Persona, identity, write=write)
    return found


def access_scene(actor: Actor, identity: Any, *, write: bool) -> Scene:
    """A scene, shared or own."""
    found: Scene = access_library(actor, Scene, identity, write=write)
    return found


def access_pose(actor: Actor, identity: Any, *, write: bool) -> Pose:
    """A pose, shared or own."""
    found: Pose = access_library(actor, Pose, identity, write=write)
    return found
