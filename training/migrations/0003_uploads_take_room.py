"""Adapters that merchants brought along count as their room from now on: those that are there already, too."""

from typing import Any

from django.db import migrations
from django.db.models import F, Sum

from imodel_site.lib.scope import unscoped

ENDED = ("succeeded", "failed", "cancelled")


def count(apps: Any, editor: Any) -> None:
    """Add up what lies there: versions, and files that are still being checked."""
    _move(apps, 1)


def take_out(apps: Any, editor: Any) -> None:
    """The way back."""
    _move(apps, -1)


def _move(apps: Any, sign: int) -> None:
    merchants = apps.get_model("accounts", "Merchant").objects
    with unscoped("what merchants brought along takes their room"):
        versions = apps.get_model("training", "AdapterVersion").objects.filter(source="uploaded")
        waiting = apps.get_model("training", "AdapterUpload").objects.exclude(status__in=ENDED)
        for rows in (versions, waiting):
            for merchant, held in rows.order_by().values_list("merchant").annotate(Sum("bytes")):
                merchants.filter(pk=merchant).update(used_bytes=F("used_bytes") + sign * held)


class Migration(migrations.Migration):
    dependencies = [("training", "0002_what_is_deleted")]

    operations = [migrations.RunPython(count, take_out)]
