"""The room's work in the light lane: packing everything of a merchant into one archive."""

from __future__ import annotations

from accounts.models import Export
from accounts.services import exporting
from imodel_site.lib.jobs.registry import runner
from imodel_site.lib.jobs.work import Work


@runner(Export)
def export_everything(work: Work) -> None:
    """For half a minute at a time."""
    exporting.carry_out(work)
