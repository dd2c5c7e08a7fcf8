"""Adapters: their versions made, promoted and rolled back; the weight that a shoot uses by itself."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.services import webhooks
from catalog.models import Garment
from imodel_site.lib.errors import Conflict, NotHere, Refused
from training import announcing, orders
from training.models import Adapter, AdapterVersion, Checkpoint, Promotion, Training, not_withheld
from training.models.adapters import WeightFrom

LEAST_WEIGHT, MOST_WEIGHT = 0.0, 2.0
LONGEST_NOTE = 500


def adapter_for(garment: Garment | None, *, merchant_id: Any, family: str, name: str = "") -> Adapter:
    """The garment's adapter for a family, locked; made when there is none. Without a garment always a new one."""
    if garment is None:
        made: Adapter = Adapter.objects.create(merchant_id=merchant_id, family=family, name=name[:200])
        return made
    defaults = {"merchant_id": merchant_id, "name": garment.name}
    Adapter.objects.get_or_create(garment=garment, family=family, defaults=defaults)
    rows = Adapter.objects.select_for_update(of=("self",)).filter(garment=garment, family=family)
    # Deleted between the two statements: the next round makes a new one.
    return rows.first() or adapter_for(garment, merchant_id=merchant_id, family=family, name=name)


def lock(pk: Any) -> Adapter:
    """The adapter, kept as it is until the transaction ends.

    Raises:
        NotHere: it was deleted.
    """
    found: Adapter | None = Adapter.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotHere
    return found


def add_version(adapter: Adapter, *, by: Any, promote: bool, **fields: Any) -> AdapterVersion:
    """The next version, under the adapter's lock; the first one of an adapter is in use at once.

    Numbers of versions that were deleted are not given out again.
    """
    last = adapter.versions.aggregate(last=Max("number"))["last"] or 0
    number = max(last, adapter.numbered) + 1
    made: AdapterVersion = AdapterVersion.objects.create(
        merchant_id=adapter.merchant_id, adapter=adapter, number=number, created_by=by, **fields
    )
    if promote or not last:
        _put_into_use(made, by=by, note="", back=False)
    return made


def version_of(checkpoint: Checkpoint, *, by: Any, note: str = "", training: Training | None = None) -> AdapterVersion:
    """A training's checkpoint as a version: the one that it is already, or a new one. In the caller's transaction."""
    training = training or checkpoint.training
    adapter = _adapter_of(training)
    known = AdapterVersion.objects.filter(training=training, step=checkpoint.step).first()
    if known is not None:
        return known
    return add_version(
        adapter,
        by=by,
        promote=False,
        note=_note(note),
        training=training,
        step=checkpoint.step,
        key=checkpoint.key,
        sha256=checkpoint.sha256,
        bytes=checkpoint.bytes,
        trigger=training.trigger,
        noun=training.order.get("noun") or orders.noun_of(training.garment, family=training.family),
        similarity=checkpoint.similarity,
        validation_loss=checkpoint.validation_loss,
    )


def _adapter_of(training: Training) -> Adapter:
    """Its garment's, locked; of a garment that was deleted the one that has its versions already."""
    if training.garment is None:
        rows = Adapter.objects.select_for_update(of=("self",)).filter(versions__training=training)
        found: Adapter | None = rows.order_by("pk").first()
        if found is not None:
            return found
    return adapter_for(
        training.garment, merchant_id=training.merchant_id, family=training.family, name=training.trigger
    )


def _note(text: str) -> str:
    said = " ".join(text.split())
    if len(said) > LONGEST_NOTE:
        words = _("A note has at most %(most)d characters.") % {"most": LONGEST_NOTE}
        raise Refused("note_too_long", words, field="note")
    return said


@transaction.atomic
def promote(*, actor: Actor, version: AdapterVersion, note: str = "") -> None:
    """From now on shoots use this version, unless they say otherwise; promoting the one in use changes nothing.

    Raises:
        Conflict: ``photo_rejected``.
    """
    allow_write(actor)
    refuse_withheld(version)
    _switch(actor, version, note=note, back=False)


@transaction.atomic
def roll_back(*, actor: Actor, adapter: Adapter, note: str = "") -> AdapterVersion:
    """Back to the version that was in use before.

    Raises:
        Conflict: ``nothing_before``, ``photo_rejected``.
    """
    allow_write(actor)
    lock(adapter.pk)
    before = _before(adapter)
    if before is None:
        raise Conflict("nothing_before", _("No other version was in use before this one."))
    refuse_withheld(before)
    _switch(actor, before, note=note, back=True)
    return before


def _before(adapter: Adapter) -> AdapterVersion | None:
    """The version that was in use before the present one came: each step back undoes one step forward.

    None in the trail is a version that was deleted: nobody goes back there, but whoever did undid a step.
    """
    trail: list[AdapterVersion | None] = []
    for step in adapter.promotions.select_related("version__adapter").order_by("id"):
        if step.back:
            trail = trail[: _last_place(trail[:-1], step.version) + 1]
        else:
            trail.append(step.version)
    return next((one for one in reversed(trail[:-1]) if one is not None and not one.promoted), None)


def _last_place(trail: list[AdapterVersion | None], version: AdapterVersion | None) -> int:
    """Of a version; the last place of all when it was deleted since."""
    known = (place for place, one in enumerate(trail) if version is not None and one == version)
    return max(known, default=-1 if version is not None else len(trail) - 1)


def _switch(actor: Actor, version: AdapterVersion, *, note: str, back: bool) -> None:
    lock(version.adapter_id)
    found = AdapterVersion.objects.filter(pk=version.pk).values_list("promoted", flat=True)
    if not found:
        raise NotHere
    version.promoted = found[0]
    if not version.promoted:
        _put_into_use(version, by=actor.user, note=_note(note), back=back)


def _put_into_use(version: AdapterVersion, *, by: Any, note: str, back: bool) -> None:
    """Off before on: at no moment are two in use. Called under the adapter's lock."""
    AdapterVersion.objects.filter(adapter_id=version.adapter_id, promoted=True).update(promoted=False)
    AdapterVersion.objects.filter(pk=version.pk).update(promoted=True)
    version.promoted = True
    step = Promotion.objects.create(
        merchant_id=version.merchant_id, adapter_id=version.adapter_id, version=version, by=by, note=note, back=back
    )
    webhooks.emit(
        merchant_id=version.merchant_id,
        type="adapter.promoted",
        subject_id=step.pk,
        data=announcing.promotion(version, back=back),
    )


@transaction.atomic
def change_version(
    *, actor: Actor, version: AdapterVersion, note: str | None = None, weight: float | None = None
) -> None:
    """Write what the merchant says of it.

    Raises:
        Refused: ``weight_out_of_range``, ``note_too_long``.
    """
    allow_write(actor)
    fields: dict[str, Any] = {}
    if note is not None:
        fields["note"] = _note(note)
    if weight is not None:
        fields |= {"weight": check_weight(weight), "weight_from": WeightFrom.MERCHANT}
    if fields and not AdapterVersion.objects.filter(pk=version.pk).update(**fields):
        raise NotHere
    version.refresh_from_db()


def check_weight(weight: float, *, field: str = "weight") -> float:
    """0 to 2, two decimals.

    Raises:
        Refused: ``<field>_out_of_range``.
    """
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:  # a NaN is in no range
        words = _("Give a number from %(least)d to %(most)d.") % {"least": LEAST_WEIGHT, "most": MOST_WEIGHT}
        raise Refused(f"{field}_out_of_range", words, field=field)
    return round(float(weight), 2)


def learn_weight(*, training: Training, step: int, weight: float) -> None:
    """A grid says which weight does best with a checkpoint: its version takes it, unless the merchant chose one."""
    rows = AdapterVersion.objects.filter(training=training, step=step).exclude(weight_from=WeightFrom.MERCHANT)
    rows.update(weight=round(weight, 2), weight_from=WeightFrom.GRID)


def withheld(version: AdapterVersion) -> bool:
    """Whether moderation took down a photo that it learned from: then it is neither used nor handed out."""
    return bool(version.learned_from().filter(asset__moderation="rejected").exists())


def refuse_withheld(version: AdapterVersion) -> None:
    """Raise Conflict ``photo_rejected`` for such a one."""
    if withheld(version):
        words = _("A photo that this learned from was removed by moderation, so it can not be used any more.")
        raise Conflict("photo_rejected", words)


def in_use(garment: Garment, *, family: str) -> AdapterVersion | None:
    """The version that is in use for a garment, if it has one that may be used."""
    rows = AdapterVersion.objects.filter(adapter__garment=garment, adapter__family=family, promoted=True)
    found: AdapterVersion | None = rows.select_related("adapter__garment", "training").first()
    return None if found is None or withheld(found) else found


def all_in_use(*, family: str) -> list[AdapterVersion]:
    """Every garment's version that is in use, of the open scope, newest first."""
    rows = AdapterVersion.objects.filter(adapter__family=family, promoted=True)
    return list(not_withheld(rows).select_related("adapter__garment", "training").order_by("-adapter_id"))
