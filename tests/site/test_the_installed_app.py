"""What the server tells a browser that keeps things: whose each answer is, what may be kept, where the app is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.scoping import merchant_scope
from catalog.models import GarmentPhoto
from catalog.samples import SAMPLES
from catalog.services.photos import add_garment_with_photo
from imodel_site import islands, keeping, pwa
from imodel_site.lib import signing
from imodel_site.lib.isolation import EMBEDDER, isolated
from studio.segmentation.bundled import DECODER, bundled
from tests.cast import Cast

SETTINGS_WITH_SECRETS = ("accounts:keys", "accounts:webhooks", "accounts:settings", "accounts:exports")


@pytest.fixture
def alice(cast: Cast) -> Client:
    """Owner of Atelier, signed in."""
    client = Client()
    client.force_login(cast.alice)
    return client


# --- whose an answer is -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_page_says_for_whom_it_was_made_and_that_it_may_be_kept(alice: Client, cast: Cast) -> None:
    answer = alice.get("/catalog/")
    merchant, person, epoch = answer["X-Account"].split(".")
    assert (merchant, person) == (cast.atelier.pk.hex, cast.alice.pk.hex) and len(epoch) == 12
    assert answer["X-Keep"] == "page" and answer["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_the_same_account_is_in_the_page_and_at_the_door_that_is_asked_before_sending(alice: Client) -> None:
    page = alice.get("/catalog/")
    told = json.loads(page.content.decode().split('id="pwa" type="application/json">')[1].split("</script>")[0])
    there = alice.get(reverse("pwa:state")).json()
    assert told["account"] == there["account"] == page["X-Account"]
    assert alice.get(reverse("pwa:state"))["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_a_sign_in_starts_another_epoch_because_older_forms_would_be_refused(alice: Client, cast: Cast) -> None:
    before = alice.get("/catalog/")["X-Account"]
    alice.cookies.pop("csrf")  # as a sign-in does: Django makes another secret
    after = alice.get("/catalog/")["X-Account"]
    assert before.rsplit(".", 1)[0] == after.rsplit(".", 1)[0] and before != after


@pytest.mark.django_db
def test_a_stranger_is_nobody_and_gets_nothing_to_keep(client: Client) -> None:
    answer = client.get("/account/login/")
    assert answer["X-Account"] == "-" and "X-Keep" not in answer
    assert client.get(reverse("pwa:state")).json()["account"] == "-"


@pytest.mark.django_db
@pytest.mark.parametrize("name", SETTINGS_WITH_SECRETS)
def test_pages_with_secrets_are_never_kept(alice: Client, name: str) -> None:
    answer = alice.get(reverse(name))
    assert answer.status_code == 200 and "X-Keep" not in answer


@pytest.mark.django_db
def test_what_a_browser_may_use_again_unasked_does_not_say_for_whom_it_was(alice: Client) -> None:
    sha256 = bundled().sha256[DECODER]
    answer = alice.get(f"/catalog/decoders/{sha256}.onnx")
    assert "immutable" in answer["Cache-Control"]
    assert "X-Account" not in answer and "X-Keep" not in answer


def test_the_offline_pages_are_fetched_again_when_a_file_that_they_name_changes() -> None:
    assert pwa._revision(["/static/site.1.css"]) == pwa._revision(["/static/site.1.css"])
    assert pwa._revision(["/static/site.1.css"]) != pwa._revision(["/static/site.2.css"])


@pytest.mark.django_db
def test_a_sign_out_that_did_not_arrive_is_told_without_a_promise_that_anything_is_kept(client: Client) -> None:
    text = client.get(reverse("pwa:offline", args=["stayed"]) + "?language=en").content.decode()
    assert "You are still signed in" in text and 'data-offline="stayed"' in text
    assert "kept in this browser" not in text.split('id="pwa"')[0]


def test_only_routes_that_exist_may_be_kept() -> None:
    from tests.permissions.routes import all_routes

    assert keeping.PAGES | keeping.DATA <= {route.name for route in all_routes()}


@pytest.mark.django_db
def test_a_refused_page_is_not_kept(alice: Client) -> None:
    answer = alice.get(reverse("catalog:garment", args=["0198c1d2-e3f4-7081-92a3-b4c5d6e7f809"]))
    assert answer.status_code == 404 and "X-Keep" not in answer


# --- lasting addresses ------------------------------------------------------------------------------------------------
@pytest.fixture
def photo(cast: Cast) -> GarmentPhoto:
    """Atelier's."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    with merchant_scope(cast.atelier):
        file = SimpleUploadedFile("coat.jpg", Path(SAMPLES[0].path).read_bytes())
        return add_garment_with_photo(merchant=cast.atelier, file=file, file_name="coat.jpg")[0]


def _lasting(photo: GarmentPhoto, variant: str = "small") -> str:
    return reverse("media_of", args=["asset", photo.asset_id, variant])


@pytest.mark.django_db
def test_a_lasting_address_leads_its_owner_to_a_signed_one(alice: Client, photo: GarmentPhoto) -> None:
    answer = alice.get(_lasting(photo))
    assert answer.status_code == 302 and answer["Cache-Control"] == "private, no-store"
    ticket = signing.unseal(answer["Location"].rsplit("/", 1)[-1])
    assert ticket is not None and (ticket.row_id, ticket.variant) == (photo.asset_id, "small")
    assert alice.get(answer["Location"]).status_code == 200


@pytest.mark.django_db
def test_for_everybody_else_a_lasting_address_is_of_nothing(cast: Cast, photo: GarmentPhoto) -> None:
    stranger, charlie = Client(), Client()
    charlie.force_login(cast.charlie)
    assert [client.get(_lasting(photo)).status_code for client in (stranger, charlie)] == [404, 404]


@pytest.mark.django_db
def test_a_lasting_address_of_an_unknown_kind_or_variant_is_of_nothing(alice: Client, photo: GarmentPhoto) -> None:
    assert alice.get(_lasting(photo, "nonsense")).status_code == 404
    assert alice.get(reverse("media_of", args=["nonsense", photo.asset_id, "small"])).status_code == 404


# --- the app ----------------------------------------------------------------------------------------------------------
def test_the_worker_is_at_the_root_asked_for_each_time_and_answered_with_304(client: Client, built: Path) -> None:
    answer = client.get("/sw.js")
    assert answer["Content-Type"].startswith("text/javascript") and "no-cache" in answer["Cache-Control"]
    code = answer.content.decode()
    facts = json.loads(code.splitlines()[0].removeprefix("self.IMODEL = ").removesuffix(";"))
    assert facts["pages"]["offline"]["zh-hans"] == "/offline/offline?language=zh-hans"
    assert facts["doors"]["leaving"] == ["/account/logout/", "/shops/switch"]
    assert code.endswith("const built = 1;\n")
    again = client.get("/sw.js", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_another_build_is_another_version(client: Client, built: Path) -> None:
    before = client.get("/sw.js").content
    (built / "sw.js").write_text("const built = 2;\n")
    assert client.get("/sw.js").content.splitlines()[0] != before.splitlines()[0]


def test_where_nothing_was_built_a_worker_from_before_takes_its_leave(
    client: Client, tmp_path: Path, settings: Any
) -> None:
    settings.BUILT_DIR = tmp_path / "nothing"
    assert "registration.unregister()" in client.get("/sw.js").content.decode()


@pytest.fixture
def built(tmp_path: Path, settings: Any) -> Path:
    """A worker as short as can be."""
    settings.BUILT_DIR = tmp_path
    (tmp_path / "sw.js").write_text("const built = 1;\n")
    return tmp_path


def test_the_manifest_speaks_the_reader_s_language_and_its_icons_exist(client: Client) -> None:
    english = client.get("/manifest.webmanifest").json()
    chinese = client.get("/manifest.webmanifest", headers={"Accept-Language": "zh-hans"}).json()
    assert (english["lang"], chinese["lang"]) == ("en", "zh-hans") and english["start_url"] == "/shoot/"
    assert {icon["purpose"] for icon in english["icons"]} == {"any", "maskable"}
    for icon in english["icons"]:
        assert Path("frontend/plain", icon["src"].removeprefix("/static/ui/")).is_file()


@pytest.mark.django_db
def test_the_page_without_a_connection_is_the_same_for_everybody(alice: Client, client: Client, cast: Cast) -> None:
    for what in pwa.WHAT:
        one, other = (browser.get(f"/offline/{what}?language=en") for browser in (alice, client))
        assert one.content == other.content and "X-Account" not in one
        assert cast.atelier.name not in one.content.decode()
    assert client.get("/offline/nonsense").status_code == 404


def test_the_page_without_a_connection_comes_in_the_language_that_is_asked_for(client: Client) -> None:
    assert 'lang="zh-hans"' in client.get("/offline/offline?language=zh-hans").content.decode()


# --- isolation and islands --------------------------------------------------------------------------------------------
def test_an_isolated_view_lets_webassembly_use_threads() -> None:
    from django.http import HttpResponse

    assert isolated(lambda request: HttpResponse())(None)[EMBEDDER] == "require-corp"


def test_a_page_without_a_build_goes_without_its_islands_and_a_check_says_so(tmp_path: Path, settings: Any) -> None:
    from django_vite.core.asset_loader import DjangoViteConfig

    none = islands.Islands(DjangoViteConfig(manifest_path=tmp_path / "manifest.json"))
    assert none.generate_vite_asset("src/pwa/main.ts") == ""
    settings.BUILT_DIR = settings.BASE_DIR = tmp_path
    assert [found.id for found in islands.check_built(None)] == ["islands.W001"]


def test_a_room_that_a_build_lacks_is_an_error_of_ours(tmp_path: Path) -> None:
    from django_vite.core.asset_loader import DjangoViteConfig
    from django_vite.core.exceptions import DjangoViteAssetNotFoundError

    entry = {"src/pwa/main.ts": {"file": "assets/pwa-x.js", "src": "src/pwa/main.ts", "isEntry": True}}
    (tmp_path / "manifest.json").write_text(json.dumps(entry))
    made = islands.Islands(DjangoViteConfig(manifest_path=tmp_path / "manifest.json", static_url_prefix="dist"))
    assert 'src="/static/dist/assets/pwa-x.js"' in made.generate_vite_asset("src/pwa/main.ts")
    with pytest.raises(DjangoViteAssetNotFoundError):
        made.generate_vite_asset("src/nonsense/main.ts")
