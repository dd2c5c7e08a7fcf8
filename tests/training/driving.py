"""The web side of a training in a house under test (tests/jobs/drive.py): ordered, and looked at from outside."""

from __future__ import annotations

from typing import Any

from accounts.models import LedgerEntry, Membership, Merchant, Role, User, WebhookEvent
from accounts.scoping import merchant_scope
from training.models import AdapterVersion, Checkpoint, Comparison, Preflight, Training, TrainingNote, TrainingPicture
from training.plans import Wishes
from training.services import sets, trainings


def order() -> str:
    """Of a new merchant; the check is written as the light lane would have left it."""
    from tests.generation.conftest import actor_of
    from tests.training.conftest import furnish

    merchant = Merchant.objects.create(name="Atelier")
    user = User.objects.create(email="alice@example.com", name="Alice")
    Membership.objects.create(merchant=merchant, user=user, role=Role.OWNER)
    shop = furnish(actor_of(user))
    with merchant_scope(merchant):
        found = sets.create_set(actor=shop.actor, garment=shop.garment)
        TrainingPicture.objects.filter(set=found).update(caption=f"{found.trigger} dress")
        found.refresh_from_db()
        Preflight.objects.create(set=found, edition=found.edition, status="succeeded", queued_at=found.created_at)
        made = trainings.order_training(actor=shop.actor, found=found, wishes=Wishes(steps=30), key=None)
    return str(made.pk)


def state(training: str) -> dict[str, Any]:
    """The row, and what there must be one of."""
    row = Training.objects.get(pk=training)
    kinds = list(LedgerEntry.objects.filter(merchant_id=row.merchant_id).values_list("kind", flat=True))
    events = WebhookEvent.objects.filter(merchant_id=row.merchant_id, type="training.finished")
    return {
        "status": row.status,
        "token": row.token,
        "losses": row.losses,
        "worker": row.worker,
        "error": row.error_code,
        "resumed": row.resumed,
        "steps": row.steps_done,
        "checkpoints": sorted(Checkpoint.objects.filter(training=row).values_list("step", flat=True)),
        "notes": list(TrainingNote.objects.filter(training=row).order_by("pk").values_list("code", flat=True)),
        "captures": kinds.count("capture"),
        "events": events.count(),
        "versions": AdapterVersion.objects.filter(training=row).count(),
        "grids": Comparison.objects.filter(training=row).count(),
    }
