"""FASHN's own client from PyPI, unmodified, pointed at us by its address and a key of ours."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

import fashn
import httpx
import pytest
from PIL import Image

from accounts.models import ApiKey, CreditAccount
from accounts.services import credits
from catalog.models import Garment
from generation.models import FashnRun, Picture, Shoot
from studio.provenance import read_labels
from tests.api.conftest import Program, count, program_of
from tests.fashn.conftest import uri

pytestmark = pytest.mark.django_db(transaction=True)
QUICK: Any = {"poll_interval": 250, "timeout": 20_000}


@pytest.fixture
def client(shop: Program, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> fashn.Fashn:
    """As a program of theirs makes it, by the environment."""
    monkeypatch.setenv("FASHN_API_KEY", shop.key)
    monkeypatch.setenv("FASHN_BASE_URL", live_server.url)
    return fashn.Fashn(max_retries=0)


def client_of(program: Program, live_server: Any) -> fashn.Fashn:
    return fashn.Fashn(api_key=program.key, base_url=live_server.url, max_retries=0)


def ended(client: fashn.Fashn, run: str) -> Any:
    """The run once it has ended, asked for as often as FASHN lets one ask."""
    for _patience in range(45):
        told = client.predictions.status(run)
        if told.status not in ("starting", "in_queue", "processing"):
            return told
        time.sleep(0.2)
    raise AssertionError(told)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_subscribe_gives_addresses_of_pictures_and_says_what_they_cost(client, workers, house) -> None:
    seen = []
    done = client.predictions.subscribe(
        model_name="product-to-model",
        inputs={"product_image": uri(), "prompt": "on a beach", "seed": 7},
        on_queue_update=lambda told: seen.append(told.status),
        **QUICK,
    )
    assert (done.status, done.error, done.credits_used) == ("completed", None, 1)
    (address,) = done.output or []
    answer = httpx.get(address)
    assert answer.headers["content-type"] == "image/png" and opened(answer.content).size == (64, 96)
    assert set(seen) <= {"starting", "in_queue", "processing", "completed"} and seen[-1] == "completed"
    assert count(Garment) == 1, "nothing was put into the catalog"


def test_run_and_status_with_base64_and_several_pictures(client, workers) -> None:
    inputs: Any = {"prompt": "a man in a coat", "num_images": 3, "return_base64": True, "output_format": "jpeg"}
    started = client.predictions.run(model_name="model-create", inputs=inputs)
    assert started.error is None
    told = ended(client, started.id)
    assert told.error is None and len(told.output or []) == 3
    for text in told.output or []:
        head, _, body = text.partition(",")
        data = base64.b64decode(body)
        assert head == "data:image/jpeg;base64" and opened(data).format == "JPEG"
    assert count(Picture) == 3


def test_an_input_that_makes_no_sense_is_told_as_fashn_does(client, workers) -> None:
    done = client.predictions.subscribe(model_name="product-to-model", inputs={"prompt": "x"}, **QUICK)  # type: ignore[typeddict-item]
    assert done.status == "failed" and done.error is not None
    assert (done.error.name, done.error.message) == ("InputValidationError", "“product_image” is missing.")
    assert done.credits_used == 0 and count(Shoot) == 0


def test_a_picture_that_is_none_is_an_image_load_error_and_free(client, workers, house) -> None:
    before = credits.balance(house.merchant)
    done = client.predictions.subscribe(model_name="edit", inputs={"image": uri(b"GIF89a"), "prompt": "red"}, **QUICK)
    assert done.error is not None and done.error.name == "ImageLoadError"
    assert credits.balance(house.merchant) == before


def test_names_that_we_can_not_serve_are_unknown_models(client) -> None:
    for name in ("image-to-video", "packshot", "tryon-v9"):
        with pytest.raises(fashn.BadRequestError) as caught:
            client.predictions.run(model_name=name, inputs={"image": uri()})  # type: ignore[call-overload]
        assert caught.value.body == {
            "error": "BadRequest",
            "message": caught.value.body["message"],  # type: ignore[index]
        }


def test_who_may_not_come_in(live_server, house, shop) -> None:
    wrong = fashn.Fashn(api_key="fa-nothing", base_url=live_server.url, max_retries=0)
    with pytest.raises(fashn.AuthenticationError) as caught:
        wrong.predictions.status("x")
    assert caught.value.body["error"] == "UnauthorizedAccess"  # type: ignore[index]
    reader = client_of(program_of(house.merchant, house.actor.user, ApiKey.Scope.READ), live_server)
    with pytest.raises(fashn.PermissionDeniedError):
        reader.predictions.run(model_name="model-create", inputs={"prompt": "x"})
    with pytest.raises(fashn.NotFoundError) as missing:
        client_of(shop, live_server).predictions.status("123a87r9-4129-4bb3-be18-9c9fb5bd7fc1-u1")
    assert missing.value.body["error"] == "NotFound"  # type: ignore[index]


def test_without_credits_it_is_too_many_requests(client, house) -> None:
    from accounts.scoping import merchant_scope

    with merchant_scope(house.merchant):
        credits.account(house.merchant.pk)
        CreditAccount.objects.update(available=1)
    with pytest.raises(fashn.RateLimitError) as caught:
        client.predictions.run(model_name="model-create", inputs={"prompt": "x", "num_images": 2})
    assert caught.value.body["error"] == "OutOfCredits"  # type: ignore[index]
    assert count(FashnRun) == 0


def test_the_balance(client, house) -> None:
    total = credits.balance(house.merchant)
    found = client.get("/v1/credits", cast_to=httpx.Response).json()
    assert found == {"credits": {"total": total, "subscription": total, "on_demand": 0}}


def test_two_shops_at_once_see_their_own_runs_only(shop, foreign, live_server, workers) -> None:
    first, second = (client_of(program, live_server) for program in (shop, foreign))
    runs = [
        (one, one.predictions.run(model_name="model-create", inputs={"prompt": "a coat", "seed": seed}).id)
        for one, seed in ((first, 1), (second, 2))
    ]
    for one, other, (_client, mine) in ((first, second, runs[0]), (second, first, runs[1])):
        assert ended(one, mine).status == "completed"
        with pytest.raises(fashn.NotFoundError):
            other.predictions.status(mine)


def test_labels_of_a_jpeg_are_those_of_the_picture(client, workers, executor) -> None:
    """The scripted executor labels nothing, so a picture with labels is put in the place of its own."""
    from pathlib import Path

    from studio.provenance import SourceType, label
    from tests.generation import scripted

    def labelled(link: Any, message: dict[str, Any]) -> None:
        import hashlib

        out = Path(message["out"])
        for event in scripted.shots(message, out):
            path = Path(event["files"]["full"])
            with Image.open(path) as picture:
                data = label(picture, format="png", composite=False, producer="us", content_id="7")
            path.write_bytes(data)
            event["sha256"]["full"] = hashlib.sha256(data).hexdigest()
            link.say("shot", **event)
        link.say("done", timings={}, files=scripted.papers(out))

    executor.script = labelled
    done = client.predictions.subscribe(
        model_name="model-create", inputs={"prompt": "x", "output_format": "jpeg"}, **QUICK
    )
    found = read_labels(httpx.get((done.output or [""])[0]).content)
    assert found.source_type == SourceType.MADE
