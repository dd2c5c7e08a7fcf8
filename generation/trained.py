"""What a garment was trained for, used in a shoot: which version of its adapter, at what weight, called what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.actors import Actor
from catalog.models import GarmentPhoto
from generation.models import Kind, Shoot
from imodel_site.lib.errors import NotHere
from imodel_site.lib.jobs.model import ENDED
from studio.shoot.presets import OUTFITS
from training.access import access_adapter
from training.models import AdapterVersion
from training.services import adapters, holding

if TYPE_CHECKING:
    from generation.orders import Choices

PLACE = "order.adapters.0.0"  # of the file, in an order's body
WORN = (Kind.MODEL, Kind.SCENE, Kind.POSE)  # where the photo's garment stays; elsewhere it is the outfit


def chosen(actor: Actor, choices: Choices, photo: GarmentPhoto | None) -> AdapterVersion | None:
    """The version that a shoot is made with; None for none.

    Raises:
        NotHere: the adapter is missing, another merchant's, of another family, or has no version in use.
        Conflict: ``photo_rejected``: moderation took down a photo that it learned from.
    """
    family = choices.engine or settings.ENGINE
    if choices.adapter is None:
        return None
    if choices.adapter:
        return _asked(actor, choices.adapter, family)
    if choices.kind == Kind.OUTFIT and not choices.outfit and photo is not None:
        return adapters.in_use(photo.garment, family=family)
    return None


def _asked(actor: Actor, identity: Any, family: str) -> AdapterVersion:
    adapter = access_adapter(actor, identity, write=False)
    rows = adapter.versions.select_related("adapter__garment", "training")
    found: AdapterVersion | None = rows.filter(promoted=True).first()
    if found is None or adapter.family != family:
        raise NotHere
    adapters.refuse_withheld(found)
    return found


def wear(order: dict[str, Any], version: AdapterVersion, choices: Choices) -> dict[str, str]:
    """Put a version into an executor's order; its file by its place in the body."""
    weight = version.weight if choices.adapter_weight is None else choices.adapter_weight
    order["adapters"] = [["", weight]]
    if choices.kind in WORN:
        order["worn"] = words_of(version)
    else:
        order["outfit"] = _outfit(version, choices.outfit)
    return {PLACE: version.key}


def words_of(version: AdapterVersion) -> str:
    """What a prompt calls the garment."""
    return " ".join(word for word in (version.trigger, version.noun) if word) or "garment"


def _outfit(version: AdapterVersion, asked: str) -> str:
    """The garment's own words; words of the merchant's own are kept, with the trigger before them."""
    if not asked or asked in OUTFITS:
        return words_of(version)
    return asked if version.trigger in asked.split() else f"{version.trigger} {asked}".strip()


def hold(order: Mapping[str, Any]) -> None:
    """The versions that an order is made with stay until the transaction ends; called where it is queued.

    Raises:
        Conflict: ``adapter_gone``.
    """
    holding.hold(keys_of(order))


def keys_of(order: Mapping[str, Any]) -> set[str]:
    """Storage keys of an order's adapters."""
    return {key for place, key in order.get("files", {}).items() if "adapters" in place.split(".")}


def needs(keys: Collection[str]) -> bool:
    """Whether a shoot that has not ended is made with one of these (``training.services.holding`` asks)."""
    rows = Shoot.objects.exclude(status__in=ENDED).exclude(adapter_version=None)
    files = list(rows.values_list("order__files", flat=True))  # an iterator left halfway would keep its cursor open
    return any(not keys_of({"files": one}).isdisjoint(keys) for one in files)


def in_use(photo: GarmentPhoto | None) -> list[AdapterVersion]:
    """Every trained garment's version in use for the site's own family, the photo's garment first."""
    found = adapters.all_in_use(family=settings.ENGINE)
    own = photo.garment_id if photo is not None else None
    return sorted(found, key=lambda one: own is None or one.adapter.garment_id != own)


def title_of(version: AdapterVersion) -> str:
    """As people call it."""
    garment = version.adapter.garment
    return str(garment.name if garment else version.adapter.name)


def version_of(shoot: Shoot) -> AdapterVersion | None:
    """The version that a shoot was made with, while it is still there."""
    if shoot.adapter_version is None:
        return None
    rows = AdapterVersion.objects.select_related("adapter__garment", "training")
    found: AdapterVersion | None = rows.filter(pk=shoot.adapter_version).first()
    return found


def worn_before(shoot: Shoot) -> AdapterVersion | None:
    """The version that a shoot was made with, to make more with; None where it had none.

    Raises:
        Conflict: ``adapter_gone``.
    """
    found = version_of(shoot)
    if found is None and shoot.adapter_version is not None:
        raise holding.gone()
    return found


def weight_of(shoot: Shoot) -> float | None:
    """At what weight; None without one."""
    origin = shoot.order.get("origin") or shoot.order
    found = ((origin.get("body") or {}).get("order") or {}).get("adapters") or []
    return float(found[0][1]) if found and shoot.adapter_version else None
