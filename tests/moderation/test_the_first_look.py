"""What the checker says comes with the rows: clear, flagged with a case, or pending where it could not look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.scoping import merchant_scope
from catalog import tasks as catalog_tasks
from catalog.models import Asset, Look
from catalog.services.assets import add_asset
from generation.models import ModerationCase, Picture
from imodel_site.lib.jobs import executors
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from tests.generation import scripted
from tests.generation.conftest import House, made, png
from tests.moderation.conftest import approve, state_of

FLAGGED = {"flagged": True, "reasons": [{"code": "much_skin", "score": 0.8}], "checker": "rules-1"}
CLEAR = {"flagged": False, "reasons": [], "checker": "rules-1"}


def paints_with(finding: Any) -> scripted.Script:
    """An executor whose checker says this of every picture."""

    def script(link: Any, message: dict[str, Any]) -> None:
        out = Path(message["out"])
        for event in scripted.shots(message, out):
            link.say("shot", **event, finding=finding)
        link.say("done", timings={}, files=scripted.papers(out))

    return script


def cases(house: House) -> list[ModerationCase]:
    with merchant_scope(house.merchant):
        return list(ModerationCase.objects.order_by("id"))


@pytest.mark.parametrize("finding, state, opened", [(CLEAR, "clear", 0), (FLAGGED, "flagged", 2), (None, "pending", 0)])
def test_pictures_come_with_what_was_seen(house: House, executor: Any, finding: Any, state: str, opened: int) -> None:
    executor.script = paints_with(finding)
    shoot = made(house, count=2)
    assert shoot.status == "succeeded"
    with merchant_scope(house.merchant):
        rows = list(Picture.objects.filter(shoot=shoot))
    assert [row.moderation for row in rows] == [state] * 2
    kept = finding and {"checker": "rules-1", "reasons": finding["reasons"]}
    assert [row.findings for row in rows] == [kept] * 2
    found = cases(house)
    assert {case.subject_id for case in found} == ({row.pk for row in rows} if opened else set())
    assert all((case.opened_by, case.status, case.reasons) == ("look", "open", ["much_skin"]) for case in found)


def proposes(finding: Any) -> scripted.Script:
    """A light executor that sees nothing but this."""

    def script(link: Any, message: dict[str, Any]) -> None:
        link.say("done", parts=[], best=None, pose=None, files={"skeleton": None}, finding=finding)

    return script


def look_at(house: House, finding: Any) -> Asset:
    """Upload a photo and let the light lane look."""
    with merchant_scope(house.merchant):
        asset, _new = add_asset(merchant=house.merchant, file=png((9, 90, 200)))
    return carried(house, asset, proposes(finding))


def carried(house: House, asset: Asset, script: Any) -> Asset:
    with scripted.listening(executors.socket_path("light", 0), script):
        work = claim_next("light", "test-worker", models=[Look])
        assert work is not None
        with merchant_scope(house.merchant.pk):
            carry_out(work, catalog_tasks.look_at_photo)
            assert Look.objects.get(pk=work.job.pk).status == "succeeded"
            asset.refresh_from_db()
    return asset


@pytest.mark.parametrize("finding, state, opened", [(CLEAR, "clear", 0), (FLAGGED, "flagged", 1), (None, "pending", 0)])
def test_uploads_are_looked_at_with_their_pose(house: House, finding: Any, state: str, opened: int) -> None:
    asset = look_at(house, finding)
    assert (asset.moderation, len(cases(house))) == (state, opened)
    if opened:
        assert (cases(house)[0].subject, cases(house)[0].subject_id) == ("asset", asset.pk)


def test_a_look_that_comes_after_staff_changes_nothing(house: House, stella: Any) -> None:
    with merchant_scope(house.merchant):
        asset, _new = add_asset(merchant=house.merchant, file=png((9, 90, 200)))
    case = approve(asset, stella)
    carried(house, asset, proposes(FLAGGED))
    assert state_of(asset) == "approved"
    assert [found.pk for found in cases(house)] == [case.pk]
    assert cases(house)[0].status == "decided"
