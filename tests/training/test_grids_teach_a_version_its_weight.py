"""A version takes its weight from a grid only where the grid compared weights, of this garment, against its photos."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Look
from imodel_site.lib.errors import Refused
from tests.training.conftest import Atelier, all_of, carry_out_next, trained
from training.models import AdapterVersion, Comparison, Training
from training.services import comparisons

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = {"name": "seed", "values": [1, 2]}


def weight() -> tuple[float, str]:
    """Of the one version."""
    (version,) = all_of(AdapterVersion)
    return version.weight, version.weight_from


def painted(shop: Atelier, training: Training, *, axes: list[dict[str, Any]], **base: Any) -> None:
    """A grid of the merchant's, to its end."""
    with merchant_scope(shop.merchant):
        comparisons.order_comparison(actor=shop.actor, training=training, axes=axes, base=base, key=None)
    carry_out_next("generate")
    assert {grid.status for grid in all_of(Comparison)} == {"succeeded"}


@pytest.mark.parametrize(
    ("axes", "base"),
    [
        ([SEEDS], {"weight": 2.0}),
        ([SEEDS, {"name": "weight", "values": [0.3]}], {}),
        ([{"name": "weight", "values": [0.0, 1.9]}], {}),  # 0 is the base alone, not a weight
        ([{"name": "weight", "values": [0.2, 0.4]}], {"prompt": "somebody in a blue coat"}),
    ],
    ids=["seeds alone", "one weight", "a weight and none", "another prompt"],
)
def test_a_grid_that_compares_something_else_leaves_it(
    atelier: Atelier, executor: Any, axes: list[dict[str, Any]], base: dict[str, Any]
) -> None:
    training = trained(atelier)
    carry_out_next("generate")
    assert weight() == (0.6, "grid")
    painted(atelier, training, axes=axes, **base)
    assert weight() == (0.6, "grid")


def test_a_later_grid_of_weights_changes_it(atelier: Atelier, executor: Any) -> None:
    training = trained(atelier)
    carry_out_next("generate")
    painted(atelier, training, axes=[{"name": "weight", "values": [0.4, 0.8]}])
    assert weight() == (0.4, "grid")


def test_without_a_mask_to_compare_by_no_grid_is_begun(atelier: Atelier, executor: Any) -> None:
    with unscoped("test"):
        Look.objects.all().delete()
    training = trained(atelier)
    assert training.status == "succeeded"
    assert len(all_of(AdapterVersion)) == 1
    assert all_of(Comparison) == []
    with merchant_scope(atelier.merchant), pytest.raises(Refused) as refused:
        comparisons.order_comparison(actor=atelier.actor, training=training, axes=[SEEDS], base={}, key=None)
    assert refused.value.code == "references_missing"
