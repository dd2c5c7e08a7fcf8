"""What a training has learned is paid for by its success: a cancelled one hands out nothing and is not compared."""

from __future__ import annotations

import pytest

from accounts.scoping import merchant_scope, unscoped
from imodel_site.lib.errors import Conflict
from imodel_site.lib.signing import media_url
from tests.training.conftest import fresh, trained
from training.models import Checkpoint, Training
from training.services import comparisons


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_the_checkpoints_of_a_training_that_was_given_up_stay_here(alice, atelier, executor, status):
    training = trained(atelier)
    with merchant_scope(atelier.merchant):
        address = media_url(Checkpoint.objects.select_related("training").first(), "adapter")
    assert alice.get(address).status_code == 200
    with unscoped("test"):
        Training.objects.filter(pk=training.pk).update(status=status)
    assert alice.get(address).status_code == 404
    training = fresh(training)
    with merchant_scope(atelier.merchant), pytest.raises(Conflict) as refused:
        comparisons.order_comparison(
            actor=atelier.actor, training=training, axes=[{"name": "seed", "values": [1]}], base={}, key=None
        )
    assert refused.value.code == "no_checkpoints"
