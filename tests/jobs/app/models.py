"""A job that needs nothing, one that needs an executor, and a ledger that lets a doubled line be seen."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.scoping import MerchantOwned
from imodel_site.lib.jobs.model import Job


class Line(models.Model):
    """What a job left behind. Nothing here is unique, on purpose: a second line must show, not be refused."""

    job = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=20)
    token = models.PositiveIntegerField(default=0)


class Errand(MerchantOwned, Job):
    """Does as ``plan`` says: ``[["sleep", 0.2], ["raise", "Refused"], ...]``; see tasks.py."""

    lane: ClassVar[str] = "light"
    plan = models.JSONField(default=list)

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass

    def on_ended(self) -> None:
        """The charge, or its release."""
        Line.objects.create(job=self.pk, kind=f"ended {self.status}", token=self.token)


class Painting(MerchantOwned, Job):
    """Needs the executor of its lane."""

    lane: ClassVar[str] = "generate"
    order = models.JSONField(default=dict)

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass

    @classmethod
    def on_ended(cls, job: Any) -> None:
        """The hook may be a classmethod as well."""
        Line.objects.create(job=job.pk, kind=f"ended {job.status}", token=job.token)
