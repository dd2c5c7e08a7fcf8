"""FASHN's own client against the whole product: its web server, its worker, its executors, the bundled engine."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fashn
import httpx
import pytest
from PIL import Image

from studio.provenance import read_labels
from tests.browser.house import CONFIGURED, ROOT, House, open_house
from tests.generation.test_the_whole_chain import drawn_photo

pytestmark = pytest.mark.once
PATIENCE: Any = {"poll_interval": 500, "timeout": 240_000}
MAKE_KEYS = """
import json
from accounts.models import Membership, Merchant, Role, User
from accounts.scoping import merchant_scope, unscoped
from accounts.services.api_keys import make_key
keys = []
for name in ("one", "two"):
    shop, person = Merchant.objects.create(name=name), User.objects.create_user(f"{name}@example.com", "x" * 20)
    with merchant_scope(shop):
        Membership.objects.create(user=person, merchant=shop, role=Role.OWNER)
        made = make_key(merchant=shop, by=person, name="k", scope="write", store="", live=True, lifetime=None)
    keys.append(made.text)
print("KEYS " + json.dumps(keys))
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, list[fashn.Fashn]]]:
    """Started as a newcomer starts it, with a client for each of two shops."""
    data = tmp_path_factory.mktemp("product")
    house = open_house(data)
    try:
        house.credentials()
        keys = _keys(data)
        yield house, [fashn.Fashn(api_key=key, base_url=house.url, max_retries=0) for key in keys]
    finally:
        house.stop()


def _keys(data: Path) -> list[str]:
    """Made from outside, under the secret that the installation made for itself."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURED)}
    env["IMODEL_DATA"] = str(data)
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKE_KEYS]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("KEYS ")]
    found: list[str] = json.loads(line.removeprefix("KEYS "))
    return found


def photo() -> str:
    return "data:image/png;base64," + base64.b64encode(drawn_photo()).decode()


def test_a_garment_is_worn_and_its_picture_labelled(product: Any) -> None:
    _house, (one, other) = product
    inputs: Any = {"product_image": photo(), "prompt": "park", "seed": 4}
    done = one.predictions.subscribe(model_name="product-to-model", inputs=inputs, **PATIENCE)
    assert (done.status, done.error) == ("completed", None)
    data = httpx.get((done.output or [""])[0], timeout=60).content
    assert Image.open(io.BytesIO(data)).size == (512, 768)
    assert read_labels(data).source_type == "compositeWithTrainedAlgorithmicMedia"
    with pytest.raises(fashn.NotFoundError):
        other.predictions.status(done.id)


def test_a_person_is_cut_out(product: Any) -> None:
    _house, (_one, other) = product
    inputs: Any = {"image": photo(), "return_base64": True}
    done = other.predictions.subscribe(model_name="background-remove", inputs=inputs, **PATIENCE)
    assert (done.status, done.credits_used) == ("completed", 1)
    cut = Image.open(io.BytesIO(base64.b64decode((done.output or [""])[0].partition(",")[2])))
    assert cut.mode == "RGBA" and cut.getpixel((0, 0)) == (0, 0, 0, 0) and cut.getchannel("A").getbbox() is not None


def test_a_model_is_made_from_words_and_a_picture_reframed(product: Any) -> None:
    _house, (one, _other) = product
    words: Any = {"prompt": "full body photo, a man in a navy coat, park", "num_images": 2, "output_format": "jpeg"}
    made = one.predictions.subscribe(model_name="model-create", inputs=words, **PATIENCE)
    assert made.status == "completed" and made.credits_used == 2, made.error
    wider: Any = {"image": photo(), "aspect_ratio": "1:1"}
    done = one.predictions.subscribe(model_name="reframe", inputs=wider, **PATIENCE)
    assert done.status == "completed", done.error
    picture = Image.open(io.BytesIO(httpx.get((done.output or [""])[0], timeout=60).content))
    assert picture.width == picture.height == 600
