"""The version that a training begins with: which may be one, what the plan then has to reach, what the order keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from imodel_site.lib.errors import Refused
from training import adapter_bytes
from training.models import AdapterVersion, TrainingSet, not_withheld
from training.plans import Wishes


def offered(found: TrainingSet, *, family: str) -> list[AdapterVersion]:
    """The garment's versions for a family, newest first, without those that moderation holds back."""
    rows = AdapterVersion.objects.filter(adapter__garment_id=found.garment_id, adapter__family=family)
    return list(not_withheld(rows).select_related("adapter", "training").order_by("-number"))


def check(version: AdapterVersion, found: TrainingSet, *, family: str) -> None:
    """Refuse what a training of this set can not begin with.

    Raises:
        Refused: ``begin_differs``: it is another garment's, or for another family of weights.
    """
    if version.adapter.garment_id != found.garment_id or version.adapter.family != family:
        raise _differs(_("Choose a version of this very garment, made for the same weights."))


def wide_enough(wishes: Wishes, version: AdapterVersion) -> Wishes:
    """The wishes, as wide as what is gone on with: all that it changes must be tuned, at its rank at least.

    Raises:
        Refused: ``begin_differs``: less was asked for by name.
    """
    reach = adapter_bytes.reach_of(version.key)
    rank = reach.rank if wishes.rank is None else wishes.rank
    narrow = (reach.convolution and wishes.convolution is False) or (
        reach.text_encoder and wishes.text_encoder is False
    )
    if rank < reach.rank or narrow:
        words = _("The version to begin from has rank %(rank)d and may change more than was asked. Ask for as much.")
        raise _differs(words % {"rank": reach.rank})
    return replace(
        wishes,
        rank=rank,
        convolution=True if reach.convolution else wishes.convolution,
        text_encoder=True if reach.text_encoder else wishes.text_encoder,
    )


def as_order(version: AdapterVersion) -> Mapping[str, Any]:
    """What a frozen order says of it."""
    return {"version": str(version.pk), "number": version.number, "key": version.key, "sha256": version.sha256}


def _differs(words: str) -> Refused:
    return Refused("begin_differs", words, field="begin_from")
