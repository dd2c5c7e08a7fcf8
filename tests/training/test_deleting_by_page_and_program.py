"""The pages ask before they delete, programs delete by id, and nobody deletes another's."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.scoping import merchant_scope
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs import services as jobs
from tests.api.conftest import error_of, program_of
from tests.training import scripted
from tests.training.conftest import all_of, carry_out_next
from tests.training.deleting_things import (
    begun,
    drop_adapter,
    drop_version,
    order,
    version,
)
from tests.training.test_adapters import mini_adapter
from tests.training.test_uploads_take_room import bring
from training.models import (
    Adapter,
    AdapterVersion,
    Training,
)
from training.services import deleting

pytestmark = pytest.mark.django_db(transaction=True)


# --- doors -----------------------------------------------------------------------------------------------------------
def test_the_pages_ask_first_and_say_what_will_be_lost(two, alice):
    adapter, third = all_of(Adapter)[0], version(two, 3)
    page = alice.get(f"/training/adapters/{adapter.pk}/").content.decode()
    assert f"/training/adapters/versions/{third.pk}/delete" in page
    assert f"/training/adapters/versions/{version(two, 1).pk}/delete" not in page  # in use
    asked = alice.get(f"/training/adapters/versions/{third.pk}/delete").content.decode()
    assert "Delete version 3 of Poppy dress?" in asked and "cannot be brought back" in asked
    assert len(all_of(AdapterVersion)) == 3
    answer = alice.post(f"/training/adapters/versions/{third.pk}/delete", follow=True)
    assert "Version 3 is deleted." in answer.content.decode()
    order(two)
    busy = alice.post(f"/training/adapters/{adapter.pk}/delete")
    assert busy.status_code == 409 and "has not ended needs it" in busy.content.decode()
    training = all_of(Training)[0]
    asked = alice.get(f"/training/{training.pk}/delete").content.decode()
    assert "3 checkpoints" in asked and "1 grid" in asked and "Versions that were made of it" in asked
    assert f"/training/{training.pk}/delete" in alice.get(f"/training/{training.pk}/").content.decode()
    assert "is deleted" in alice.post(f"/training/{training.pk}/delete", follow=True).content.decode()
    carry_out_next("generate")
    assert "2 versions with their files" in alice.get(f"/training/adapters/{adapter.pk}/delete").content.decode()
    assert "is deleted" in alice.post(f"/training/adapters/{adapter.pk}/delete", follow=True).content.decode()
    assert (all_of(Adapter), all_of(Training)) == ([], [])


def test_an_uploads_page_says_that_its_version_was_deleted(atelier, executor, alice):
    bring(atelier, mini_adapter())
    made = bring(atelier, mini_adapter(n="2"))
    carry_out_next("light")
    carry_out_next("light")
    drop_version(atelier, 2)
    page = alice.get(f"/training/adapters/uploads/{made.pk}/").content.decode()
    assert "Its version was deleted since." in page and "This file was not taken" not in page
    assert alice.get(f"/training/adapters/{all_of(Adapter)[0].pk}/").status_code == 200
    alice.post(f"/training/adapters/uploads/{made.pk}/delete")
    assert fresh_or_none(made) is None


def fresh_or_none(row: Any) -> Any:
    return next(iter(all_of(type(row), pk=row.pk)), None)


def test_programs_delete_by_id_and_anothers_is_as_missing_as_none(two, bazaar):
    program = program_of(two.merchant, two.actor.user)
    foreign = program_of(bazaar.merchant, bazaar.actor.user)
    addresses = [
        f"adapter-versions/{version(two, 3).pk}",
        f"trainings/{all_of(Training)[0].pk}",
        f"adapters/{all_of(Adapter)[0].pk}",
    ]
    for address in addresses:
        assert foreign("delete", address).status_code == 404
    refused = program("delete", f"adapter-versions/{version(two, 1).pk}")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "version_in_use")
    shoot = order(two)
    refused = program("delete", addresses[2])
    assert (refused.status_code, error_of(refused)["retryable"]) == (409, True)
    with merchant_scope(two.merchant):
        jobs.cancel(shoot)
    for address in addresses:
        assert program("delete", address).status_code == 204
        assert program("delete", address).status_code == 404
    assert (all_of(Adapter), all_of(AdapterVersion), all_of(Training)) == ([], [], [])


def test_who_may_only_look_deletes_nothing(two, cast):
    from tests.training.conftest import actor_of

    viewer = actor_of(cast.vera)
    with merchant_scope(two.merchant), pytest.raises(Refused) as refused:
        deleting.delete_version(actor=viewer, version=version(two, 3))
    assert refused.value.status == 403
    assert len(all_of(AdapterVersion)) == 3


def test_a_training_that_finishes_later_joins_no_deleted_adapter(two, executor):
    training = begun(two, version(two, 2))
    with merchant_scope(two.merchant):
        Training.objects.filter(pk=training.pk).update(of_version_id=None)  # it begins anew
    drop_adapter(two)
    executor["train"].script = scripted.plays
    carry_out_next()
    made = all_of(AdapterVersion)
    assert [(one.training_id, one.promoted) for one in made] == [(training.pk, True)]
