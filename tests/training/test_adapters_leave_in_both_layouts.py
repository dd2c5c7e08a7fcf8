"""A version is downloaded as it is stored and as kohya's scripts name it; no tensor library is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset
from imodel_site.lib import storage
from imodel_site.lib.signing import media_url
from tests.api.conftest import program_of
from tests.training.conftest import all_of, carry_out_next, fresh, trained
from tests.training.test_adapters import bring, mini_adapter
from training.models import AdapterVersion

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(atelier: Any, executor: Any) -> AdapterVersion:
    """A trained one."""
    trained(atelier)
    return all_of(AdapterVersion)[0]


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def address(shop: Any, version: AdapterVersion, variant: str = "kohya") -> str:
    with merchant_scope(shop.merchant):
        return media_url(fresh(version), variant)


def test_kohyas_file_holds_the_same_matrices_and_an_alpha_for_each(alice, atelier, version):
    answer = alice.get(address(atelier, version))
    data = body(answer)
    assert int(answer["Content-Length"]) == len(data)
    assert f"{version.trigger}-v1-kohya.safetensors" in answer["Content-Disposition"]
    ours, theirs = load(storage.read(version.key)), load(data)
    name, stem = "lora_unet_mid_block_attentions_0_to_q", "unet.mid_block.attentions.0.to_q"
    assert theirs.keys() == {f"{name}.lora_down.weight", f"{name}.lora_up.weight", f"{name}.alpha"}
    assert np.array_equal(theirs[f"{name}.lora_down.weight"], ours[f"{stem}.lora_A.weight"])
    assert np.array_equal(theirs[f"{name}.lora_up.weight"], ours[f"{stem}.lora_B.weight"])
    assert theirs[f"{name}.alpha"] == 2.0  # no LoraConfig beside it: its scale is 1, alpha the rank
    plain = alice.get(address(atelier, version, "adapter"))
    assert body(plain) == storage.read(version.key)
    assert plain["ETag"] != answer["ETag"]


def test_a_part_of_it_is_the_same_as_of_the_whole(alice, atelier, version):
    whole = body(alice.get(address(atelier, version)))
    for start, end in ((0, 9), (3, len(whole) - 2), (len(whole) - 20, len(whole) - 1)):
        part = alice.get(address(atelier, version), headers={"Range": f"bytes={start}-{end}"})
        assert (part.status_code, body(part)) == (206, whole[start : end + 1])
        assert part["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"


def test_a_program_is_told_where_and_another_shop_is_not(atelier, bazaar, version):
    program = program_of(atelier.merchant, atelier.actor.user)
    told = program.get(f"adapter-versions/{version.pk}").json()
    assert told["kohya_url"] and told["kohya_url"] != told["url"]
    foreign = program_of(bazaar.merchant, bazaar.actor.user)
    assert foreign.get(f"adapter-versions/{version.pk}").status_code == 404
    with unscoped("test"):
        Asset.objects.filter(merchant=atelier.merchant).update(moderation="rejected")
    held = program.get(f"adapter-versions/{version.pk}").json()
    assert (held["url"], held["kohya_url"]) == (None, None)


def test_one_that_is_in_kohyas_layout_leaves_as_it_is(alice, atelier, version):
    storage.put(version.key, body(alice.get(address(atelier, version))))
    assert body(alice.get(address(atelier, version))) == storage.read(version.key)


def test_one_that_was_brought_along_can_be_had_in_kohyas_too(alice, atelier, executor):
    bring(atelier, mini_adapter())
    carry_out_next("light")
    (version,) = all_of(AdapterVersion)
    assert all(name.startswith("lora_unet_") for name in load(body(alice.get(address(atelier, version)))))


def test_without_its_file_it_is_missing(alice, atelier, version):
    at = address(atelier, version)
    storage.delete(version.key)
    assert alice.get(at).status_code == 404
