"""Adapters that a merchant brings along: the header is read here, before any worker opens the file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from catalog.models import Garment
from catalog.services.assets import drop_files, refuse_when_full, take_room
from imodel_site.lib import storage
from imodel_site.lib.errors import Refused, TooMuch, from_studio
from imodel_site.lib.jobs import services as jobs
from studio.errors import WeightsError
from studio.weights.lora_files import LIMITS
from studio.weights.safety import check_safetensors
from training import orders, plans
from training.models import AdapterUpload, AdapterVersion
from training.services import adapters
from training.services.sets import check_word

KIND = "adapters"  # of storage keys
LOW_RANK = re.compile(r"lora_(?:A|B|down|up)|lora\.(?:down|up)|to_[qkv]_lora|to_out_lora")
MOST_BYTES = LIMITS.file_bytes


def upload_adapter(
    *,
    actor: Actor,
    file: Any,
    garment: Garment | None,
    family: str = "",
    trigger: str = "",
    note: str = "",
    key: str | None,
) -> AdapterUpload:
    """Take a safetensors file into the merchant's adapters, once a worker has held it against its family.

    Args:
        file: an uploaded file.
        garment: what it was trained for; None keeps it under its own name.

    Raises:
        Refused: ``adapter_file_missing``, ``family_unknown``, ``trigger_invalid``; ``pickle_refused``,
            ``safetensors_invalid``, ``safetensors_limit`` and ``adapter_kind_unsupported`` of the header.
        TooMuch: ``adapter_file_too_large``, ``quota_full`` (413).
    """
    allow_write(actor)
    family = _family(family)
    _check_arrived(file)
    digest = _header(file)
    said = jobs.hash_of("upload", digest, str(garment.pk if garment else ""), family, trigger, note)
    with _kept(actor, file) as keep:
        made = _accepted_once(
            actor,
            key,
            said,
            make=lambda: AdapterUpload(
                garment=garment,
                family=family,
                name=PurePath(str(file.name or "adapter")).name[:200],
                trigger=check_word(trigger),
                key=keep(),
                sha256=digest,
                bytes=file.size,
                note=" ".join(note.split())[: adapters.LONGEST_NOTE],
                started_by=actor.user,
            ),
        )
    return made


def _accepted_once(
    actor: Actor, key: str | None, request_hash: str, make: Callable[[], AdapterUpload]
) -> AdapterUpload:
    """Its row and its room in one transaction; the same request again takes no room."""
    with transaction.atomic():
        made, new = jobs.accept(AdapterUpload, merchant=actor.merchant, key=key, request_hash=request_hash, make=make)
        if new:
            take_room(actor.merchant, made.bytes)
    return made


@contextmanager
def _kept(actor: Actor, file: Any) -> Iterator[Callable[[], str]]:
    """What stores the file, where there is room, and gives its key; nothing stays of it where no row names it."""
    kept: list[str] = []

    def keep() -> str:
        refuse_when_full(actor.merchant, amount=file.size)
        kept.append(storage.put_file(storage.new_key(actor.merchant.pk, KIND, "safetensors"), File(file)))
        return kept[0]

    try:
        yield keep
    except BaseException:
        drop_files(kept)
        raise
    if not AdapterUpload.objects.filter(key__in=kept).exists():  # a twin was faster
        drop_files(kept)


def _family(name: str) -> str:
    found = name or str(settings.ENGINE)
    if found not in plans.trainable():
        raise Refused("family_unknown", _("Choose one of those that are offered."), field="family")
    return found


def _check_arrived(file: Any) -> None:
    if file is None:
        raise Refused("adapter_file_missing", _("Choose a .safetensors file."), field="file")
    problem = getattr(file, "problem", "")
    if problem == "disk_full":
        words = _("There is no room for it just now. Try again later.")
        raise Refused(problem, words, field="file", retryable=True, status=507)
    if problem or (file.size or 0) > MOST_BYTES:
        words = _("An adapter has at most %(most)d MB.") % {"most": MOST_BYTES // 2**20}
        raise TooMuch("adapter_file_too_large", words, field="file", status=413)


def _header(file: Any) -> str:
    """Judge the file by its header, before anybody opens it; the file's sha256."""
    path = Path(file.temporary_file_path())
    try:
        report = check_safetensors(path, LIMITS, finite=False)
    except WeightsError as error:
        named = WeightsError(error.code, error.message.replace(path.name, str(file.name)))
        raise from_studio(named, field="file") from error
    if not any(LOW_RANK.search(name) for name in report.tensors):
        words = _("This file holds no LoRA. Export the adapter itself, as safetensors.")
        raise Refused("adapter_layout_unknown", words, field="file")
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _word(said: str) -> str:
    """What a file's metadata calls the garment, if that is a trigger word at all."""
    try:
        return check_word(said)
    except Refused:
        return ""


def accepted(row: AdapterUpload, *, trigger: str) -> None:
    """The worker found nothing against it: a version of the garment's adapter; in the transaction that ends the job."""
    name = PurePath(row.name).stem
    adapter = adapters.adapter_for(row.garment, merchant_id=row.merchant_id, family=row.family, name=name)
    version = adapters.add_version(
        adapter,
        by=row.started_by,
        promote=False,
        source=AdapterVersion.Source.UPLOADED,
        key=row.key,
        sha256=row.sha256,
        bytes=row.bytes,
        trigger=row.trigger or _word(trigger),
        noun=orders.noun_of(row.garment, family=row.family),
        note=row.note,
    )
    AdapterUpload.objects.filter(pk=row.pk).update(version=version)
