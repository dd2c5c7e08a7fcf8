"""Taking a call of ``/v1/run``, and forgetting what became of it after three days, as FASHN does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import access_row, allow_write
from accounts.actors import Actor
from accounts.models import Merchant, WebhookDelivery, WebhookEndpoint
from accounts.scoping import unscoped
from accounts.services import credits
from accounts.services.webhooks import endpoints
from catalog.models import Asset
from catalog.services.assets import drop_files, release_asset
from generation.models import FashnRun
from generation.surfaces.fashn import pictures
from generation.surfaces.fashn.inputs import PICTURES, read, refuse_stored
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused, TooMuch
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.scope import merchant_scope

KEPT = timedelta(hours=72)
OPEN = (Status.QUEUED, Status.PAUSED, Status.RUNNING)
_AT_ONCE = 200


def start(*, actor: Actor, model_name: str, inputs: Mapping[str, Any], webhook_url: str) -> FashnRun:
    """Accept a run and reserve its price; inputs that make no sense are accepted too, and fail as FASHN's do.

    Args:
        model_name: of ``inputs.MODELS``.
        webhook_url: who is told of its end; empty for nobody.

    Raises:
        NotAllowed: the key may only read.
        TooMuch: ``too_many_runs``: as many are under way as may be.
        Refused: ``credits_short`` (402). ``url_invalid``, ``url_not_public``, of the webhook.
    """
    allow_write(actor)
    webhook = endpoints.endpoint_of_calls(merchant=actor.merchant, url=webhook_url) if webhook_url else None
    try:
        refuse_stored(inputs)
        price = read(model_name, inputs).count
        with _stored(actor.merchant.pk, inputs) as kept:
            return _accept(actor.merchant, webhook, model_name=model_name, inputs=kept, price=price)
    except Refused as error:
        if error.code not in ("input_invalid", "image_unreadable", "photo_file_too_large"):
            raise
        refusal = {"code": error.code, "message": str(error.message)}
    return _accept(actor.merchant, webhook, model_name=model_name, refusal=refusal)


@contextmanager
def _stored(merchant_id: UUID, inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The inputs with what came along as data-URIs in files; without a row, without files."""
    keys: list[str] = []

    def keep(name: str, value: Any) -> Any:
        if name not in PICTURES or not isinstance(value, str) or not value.startswith("data:"):
            return value
        keys.append(storage.new_key(merchant_id, pictures.KIND, "bin"))
        storage.put(keys[-1], pictures.decode(value, field=name))
        return {"key": keys[-1]}

    try:
        yield {name: keep(name, value) for name, value in inputs.items()}
    except BaseException:
        drop_files(keys)
        raise


@transaction.atomic
def _accept(merchant: Merchant, webhook: WebhookEndpoint | None, *, price: int = 0, **fields: Any) -> FashnRun:
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)  # two at once would both see room
    if FashnRun.objects.filter(Q(status__in=OPEN) | Q(shoot__status__in=OPEN)).count() >= settings.FASHN_AT_ONCE:
        words = _("As many runs are under way as may be. Wait until one of them ends.")
        raise TooMuch("too_many_runs", words, retryable=True, retry_after=5)
    if webhook is not None:
        endpoints.keep_endpoint(webhook)
    run = FashnRun(merchant=merchant, webhook=webhook, price=price, **fields)
    jobs.enqueue(run)
    credits.hold(merchant_id=merchant.pk, job_id=run.pk, amount=price)
    return run


def access_run(actor: Actor, identity: Any) -> FashnRun:
    """A run of the actor's merchant."""
    found: FashnRun = access_row(FashnRun.objects.select_related("shoot"), identity)
    return found


# --- three days later ------------------------------------------------------------------------------------------------
def purge() -> int:
    """Forget runs that ended three days ago, with their files; their pictures stay. A periodic; how many."""
    with unscoped("runs of three days ago"):
        ended = FashnRun.objects.filter(finished_at__lt=timezone.now() - KEPT).exclude(shoot__status__in=OPEN)
        waiting = Q(asset__moderation="flagged")  # staff are to look at it first
        due = list(ended.exclude(waiting).values_list("pk", "merchant_id")[:_AT_ONCE])
    forgotten = sum(_forget(run, merchant_id) for run, merchant_id in due)
    _forget_addresses()
    return forgotten


def _forget(run_id: UUID, merchant_id: UUID) -> bool:
    with merchant_scope(merchant_id):
        run = FashnRun.objects.filter(pk=run_id).first()
        if run is None:
            return False
        keys, asset_id = list(keys_of(run)), run.asset_id
        run.delete()
        drop_files(keys)
        if asset_id is not None:
            release_asset(asset_id)
    return True


def _forget_addresses() -> None:
    """Of calls whose runs are forgotten: shops write a number of their own into each."""
    with unscoped("addresses of single calls"):
        told = FashnRun.objects.filter(webhook__isnull=False).values("webhook")
        idle = WebhookEndpoint.objects.filter(of_calls=True).exclude(pk__in=told)
        idle = idle.exclude(deliveries__status=WebhookDelivery.Status.WAITING)
        due = list(idle.values_list("pk", "merchant_id")[:_AT_ONCE])
    for endpoint_id, merchant_id in due:
        with merchant_scope(merchant_id), transaction.atomic():
            Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)  # or a run may be taking it just now
            if not FashnRun.objects.filter(webhook=endpoint_id).exists():
                WebhookEndpoint.objects.filter(pk=endpoint_id).delete()


def keys_of(run: FashnRun) -> Iterator[str]:
    """Every file of kind ``fashn`` that it refers to."""
    yield from run.output
    yield from run.sent


def referred_keys(merchant_id: UUID) -> Iterator[str]:
    """For the collector."""
    for run in FashnRun.objects.only("merchant_id", "inputs", "output").iterator(chunk_size=500):
        yield from keys_of(run)


def needs(asset: Asset) -> bool:
    """Whether a run still refers to an upload."""
    return bool(FashnRun.objects.filter(asset=asset).exists())
