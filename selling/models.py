"""What stands in a merchant's shop: pictures at addresses that stay, and the shop's own settings for it."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.moderation import HIDDEN_FROM_STRANGERS
from accounts.scoping import MerchantOwned
from catalog.models import Garment
from generation.models import Picture, Review
from imodel_site.lib.ids import uuid7


def new_token() -> str:
    """What nobody guesses, in an address."""
    return secrets.token_urlsafe(24)


class Storefront(MerchantOwned):
    """How a merchant's feeds are written, and the secret in their address; made when it is first needed.

    The token stands here in the clear: it opens nothing but a list of what is public anyway.
    """

    class Language(models.TextChoices):
        """Of the shop's customers, which alt texts are written in."""

        ENGLISH = "en", "English"
        CHINESE = "zh-hans", "简体中文"

    secret_columns: ClassVar[tuple[str, ...]] = ("feed_token",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    language = models.CharField(_("language"), max_length=8, choices=Language.choices, default=Language.ENGLISH)
    feed_token = models.CharField(max_length=64, default=new_token)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["merchant"], name="storefront_once")]


class Ended(models.TextChoices):
    """Why a publication is not to be seen any more."""

    REPLACED = "replaced", _("replaced by another picture")
    ROLLED_BACK = "rolled_back", _("rolled back")
    WITHDRAWN = "withdrawn", _("withdrawn")
    REMOVED = "removed", _("its picture was deleted or rejected")


class Publication(MerchantOwned):
    """A picture in its place in the shop, from when until when, and who put it there.

    One row for each time: those that have ended are the place's history, and have no files any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    garment = models.ForeignKey(Garment, on_delete=models.CASCADE, related_name="publications")
    position = models.PositiveSmallIntegerField(help_text="among the garment's pictures, from 1")
    picture = models.ForeignKey(Picture, null=True, on_delete=models.SET_NULL, related_name="publications")
    # By size and suffix: {"list.webp": {"key", "width", "height", "bytes", "sha256"}, "list.jpg": ...}.
    files = models.JSONField(default=dict)
    # What stood here before, and a roll back brings again. No foreign key: it would point at this very table.
    earlier = models.UUIDField(null=True, blank=True)
    published_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_as = models.CharField(max_length=12, choices=Ended.choices, blank=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["merchant", "garment", "position"],
                condition=models.Q(ended_at=None),
                name="publication_one_a_place",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["merchant", "garment", "position", "-id"], name="publication_history"),
            models.Index(fields=["merchant", "-id"], name="publication_newest"),
        ]

    @property
    def visible(self) -> bool:
        """Whether strangers may see it now; its picture is read."""
        return self.ended_at is None and shows(self.picture)


def shows(picture: Picture | None) -> bool:
    """Whether a picture may stand in a shop: there, not in the bin, not rejected, not held back by staff."""
    if picture is None or picture.deleted_at is not None:
        return False
    return picture.review != Review.REJECTED and picture.moderation not in HIDDEN_FROM_STRANGERS
