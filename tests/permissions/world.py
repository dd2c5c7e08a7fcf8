"""Two merchants with a row in every table, everybody who may knock, and how a door answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponseBase
from django.test import Client

from accounts import tables
from accounts.doors import API, KEYS_ONLY
from accounts.models import Membership, Merchant, User
from accounts.scoping import merchant_scope, unscoped
from accounts.services import api_keys, invitations
from catalog.services import importing
from imodel_site.lib import signing, storage
from studio.segmentation.bundled import DECODER, bundled
from tests.cast import Cast, make_cast
from tests.permissions.planting import plant
from tests.permissions.routes import Route

ACTORS = ("anonymous", "other", "viewer", "editor", "owner", "read_key", "write_key", "staff")
PEOPLE = {"other": "charlie", "viewer": "vera", "editor": "bob", "owner": "alice", "staff": "stella"}
PICTURE = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class World:
    """``mine`` are the rows of Atelier, which the routes' ids point at; ``other`` works for Bazaar."""

    cast: Cast
    mine: dict[str, Any]
    theirs: dict[str, Any]
    canaries: dict[str, str]
    cookies: dict[str, str]
    keys: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)

    def client(self, actor: str) -> Client:
        """A browser or a program."""
        client = Client(raise_request_exception=False)
        if actor in self.cookies:
            client.cookies["session"] = self.cookies[actor]
        if actor in self.keys:
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {self.keys[actor]}"
        return client

    def address(self, route: Route, *, own: bool = False) -> str:
        """The route's path with Atelier's ids in it, or with Bazaar's where it has such rows."""
        rows = self.theirs if own else self.mine
        params = {**self.params, **_ids(rows)} if own else self.params
        return "/" + PARAMETER.sub(lambda found: _value(route, found, rows, params), route.path)

    def data(self, method: str, route: Route) -> dict[str, Any]:
        """What is sent along, where without it the door would not even be tried: ids of Atelier's."""
        found = DATA.get((method, route.name), {})
        return {name: str(value(self)) if callable(value) else value for name, value in found.items()}

    def knock(self, method: str, route: Route, actor: str) -> HttpResponseBase:
        """The answer to one actor."""
        address, data = self.address(route), self.data(method, route)
        api = {"content_type": "application/json"} if address.startswith((API, *KEYS_ONLY)) and method != "GET" else {}
        answer: HttpResponseBase = getattr(self.client(actor), method.lower())(address, data or None, **api)
        return answer


def _value(route: Route, found: re.Match[str], rows: dict[str, Any], params: dict[str, str]) -> str:
    name = found.group(1) or found.group(2)
    if name == "pk" and route.model is not None:
        return str(rows[route.model._meta.label].pk)
    for prefix, label in PK_OF.items():
        if name == "pk" and route.path.startswith(prefix):
            return str(rows[label].pk) if label else "1"
    return params.get(f"{route.name} {name}") or params[name]


def _ids(rows: dict[str, Any]) -> dict[str, str]:
    return {name: str(rows[label].pk) for name, label in ROW_OF.items() if label in rows}


PK_OF = {
    "batches/": "generation.Batch",
    "shoots/": "generation.Shoot",
    "pictures/": "generation.Picture",
    "account/2fa/": "",
    "moderation/": "generation.Picture",
    "staff/moderation/": "generation.ModerationCase",
    "training/sets/archives/": "training.SetArchive",
    "training/sets/": "training.TrainingSet",
    "training/grids/": "training.Comparison",
    "training/adapters/uploads/": "training.AdapterUpload",
    "training/adapters/versions/": "training.AdapterVersion",
    "training/adapters/": "training.Adapter",
    "training/<uuid:pk>/": "training.Training",
}
# The staff's pages of one shop.
OF_SHOPS = ("staff_shop", "suspend", "reopen", "grant", "change_plan")
ROW_OF = {
    "garment_id": "catalog.Garment",
    "photo_id": "catalog.GarmentPhoto",
    "import_id": "catalog.CatalogImport",
    "persona_id": "catalog.Persona",
    "scene_id": "catalog.Scene",
    "pose_id": "catalog.Pose",
    "item_id": "catalog.Persona",
    "picture_id": "generation.Picture",
    "shoot_id": "generation.Shoot",
    "key_id": "accounts.ApiKey",
    "invitation_id": "accounts.Invitation",
    "webhook_id": "accounts.WebhookEndpoint",
    "delivery_id": "accounts.WebhookDelivery",
    "export_id": "accounts.Export",
    "run_id": "generation.FashnRun",
    "publication_id": "selling.Publication",
    "batch_id": "generation.Batch",
}


DATA: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "fashn:run"): {"model_name": "none", "inputs": "none"},  # a true one costs credits
    ("POST", "generation:queue_open"): {"id": lambda world: world.mine["catalog.Asset"].pk},
    ("POST", "accounts:switch"): {"merchant": lambda world: world.cast.atelier.pk},
    ("POST", "generation:batch_review"): {"approved": lambda world: world.mine["generation.Picture"].pk},
    ("POST", "selling:publish"): {"picture": lambda world: world.mine["generation.Picture"].pk},
    ("POST", "training:new"): {"garment": lambda world: world.mine["catalog.Garment"].pk},
    ("POST", "training:act"): {"action": "cancel"},
    ("POST", "training:archive_import"): {"garment": lambda world: world.mine["catalog.Garment"].pk},
    ("POST", "training:choose"): {"step": lambda world: world.mine["training.Checkpoint"].step},
    ("POST", "training:comparison_act"): {"action": "cancel"},
    ("POST", "training:comparison_pick"): {"cell": lambda world: world.mine["training.ComparisonCell"].number},
    ("POST", "training:adapter_act"): {
        "action": "promote",
        "version": lambda world: world.mine["training.AdapterVersion"].pk,
    },
    # Refused for what is sent, rather than ordered and waited for.
    ("POST", "a1111:txt2img"): {"steps": "none"},
    ("POST", "a1111:img2img"): {"steps": "none"},
    ("POST", "generation:bulk"): {"action": "favourite", "pictures": lambda world: world.mine["generation.Picture"].pk},
}


def build() -> World:
    """Commit all of it."""
    cast = make_cast()
    canaries = {"atelier": "kan-atl-61f3", "bazaar": "kan-baz-9c27"}
    for merchant, canary in ((cast.atelier, canaries["atelier"]), (cast.bazaar, canaries["bazaar"])):
        Merchant.objects.filter(pk=merchant.pk).update(name=canary)
        merchant.refresh_from_db()
    mine = plant(cast.atelier, canaries["atelier"], cast.alice)
    _about_the_photo(mine)
    theirs = plant(cast.bazaar, canaries["bazaar"], cast.charlie)
    for merchant, name in ((cast.atelier, "atelier"), (cast.bazaar, "bazaar")):
        storage.put(f"m/{merchant.pk}/asset/aa/{canaries[name]}.webp", PICTURE)
    cookies = {actor: _session(_person(cast, name), actor == "staff") for actor, name in PEOPLE.items()}
    keys = {f"{scope}_key": _key(cast, scope) for scope in ("read", "write")}
    keys["other_key"] = _key(cast, "write", cast.bazaar)
    return World(cast, mine, theirs, canaries, cookies, keys, _params(cast, mine))


def _about_the_photo(rows: dict[str, Any]) -> None:
    """The planted case is about the planted upload."""
    case = rows["generation.ModerationCase"]
    case.subject, case.subject_id = "asset", rows["catalog.Asset"].pk
    with merchant_scope(case.merchant_id):
        case.save()


def _params(cast: Cast, mine: dict[str, Any]) -> dict[str, str]:
    with merchant_scope(cast.atelier):
        vera = Membership.objects.get(user=cast.vera)
        invitation, secret = _invitation(cast)
    return {
        **_ids(mine),
        "member_id": str(vera.pk),
        "invitation_id": str(invitation.pk),
        "secret": secret,
        "shelf": "personas",
        "subject": "picture",
        "size": "look",
        **{f"generation:{name} pk": str(cast.atelier.pk) for name in OF_SHOPS},
        "suffix": "webp",
        "shop_id": str(cast.atelier.pk),
        "position": "1",
        "selling:picture size": "card",
        "feed_name": "feed.json",
        "selling:feed token": mine["selling.Storefront"].feed_token,
        "token": _kept_file(cast),
        "media token": signing.media_url(mine["generation.Picture"], "full").rsplit("/", 1)[-1],
        "media_of kind": "picture",
        "media_of row": str(mine["generation.Picture"].pk),
        "media_of variant": "full",
        "what": "offline",
        "sha256": bundled().sha256[DECODER],
    }


def _kept_file(cast: Cast) -> str:
    """A table that Atelier uploaded and has not imported yet."""
    file = SimpleUploadedFile("table.csv", b"name,sku\nCoat,C1\n")
    return importing.keep_file(merchant=cast.atelier, file=file)


def _invitation(cast: Cast) -> tuple[Any, str]:
    row = invitations.invite(merchant=cast.atelier, by=cast.alice, email="new@example.com", role="viewer")
    return row, str(mail.outbox[-1].body).split("/join/")[1].split()[0]


def _person(cast: Cast, name: str) -> User:
    if name != "stella":
        return getattr(cast, name)  # type: ignore[no-any-return]
    stella = User.objects.create_superuser("stella@example.com", "correct horse battery")
    TOTP.activate(stella, generate_totp_secret())
    return stella


def _session(person: User, second_factor: bool) -> str:
    """Signed in a while ago: sensitive pages ask again."""
    request = HttpRequest()
    request.session = SessionStore()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    from allauth.core import context

    with context.request_context(request):
        login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
        record_authentication(request, person, method="password")
        if second_factor:
            record_authentication(request, person, method="mfa")
    for record in request.session["account_authentication_methods"]:
        record["at"] -= 2 * 3600
    request.session.save()
    return str(request.session.session_key)


def _key(cast: Cast, scope: str, merchant: Any = None) -> str:
    shop = merchant or cast.atelier
    with merchant_scope(shop):
        return api_keys.make_key(
            merchant=shop, by=cast.alice, name=scope, scope=scope, store="", live=True, lifetime=None
        ).text


def tear_down() -> None:
    """Take it all away again; the shared library stays."""
    with unscoped("test"):
        Merchant.objects.update(status=Merchant.Status.CLOSING)  # or PostgreSQL lets nobody delete what a ledger says
        for model in tables.children_first():
            rows = model._base_manager.exclude(merchant=None)
            rows._raw_delete(rows.db)
        Merchant.objects.all().delete()
        User.objects.all().delete()


def outcome(answer: HttpResponseBase) -> str:
    """How the door answered, in a word."""
    status, target = answer.status_code, answer.headers.get("Location", "")
    if status == 401 or (status == 302 and target.startswith("/account/login/")):
        return "login"
    if status == 302 and "reauthenticate" in target:
        return "prove"
    if status == 302 and target == "/shops/new":
        return "create"
    if status >= 500 or status == 429:
        return f"BROKEN({status})"
    return {403: "no", 404: "gone", 405: "not"}.get(status, "in")
