"""People, merchants, who belongs to whom, and the keys that programs use."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.scoping import MerchantOwned
from imodel_site.lib.ids import uuid7


class UserManager(BaseUserManager["User"]):
    """People are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person; without a password they can not log in by one."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A member of staff who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person, who may belong to several merchants."""

    username = None  # type: ignore[assignment]  # the e-mail address is the name
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(max_length=12, blank=True)

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]


class Merchant(models.Model):
    """A shop or a brand: the tenant."""

    class Threshold(models.TextChoices):
        """``check``: pictures that are "not usable" cost nothing; ``good``: those to "look again" at neither."""

        CHECK = "check", _("all but unusable pictures")
        GOOD = "good", _("only good pictures")

    class Status(models.TextChoices):
        """``closing``: asked to be deleted, the grace period runs. ``suspended``: by staff."""

        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        CLOSING = "closing", _("being deleted")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.ACTIVE)
    concurrency = models.PositiveSmallIntegerField(default=2, help_text="jobs of one lane that may run at once")
    plan = models.ForeignKey(
        "accounts.Plan", verbose_name=_("plan"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    quota_bytes = models.BigIntegerField(null=True, blank=True, help_text="of stored files; empty for the site's")
    used_bytes = models.BigIntegerField(_("bytes in use"), default=0)
    pays_from = models.CharField(
        max_length=5,
        choices=Threshold.choices,
        default=Threshold.CHECK,
        db_default=Threshold.CHECK.value,
        help_text="the least verdict of the fidelity report that a picture is paid for",
    )
    suspended_reason = models.CharField(max_length=300, blank=True, db_default="")
    delete_after = models.DateTimeField(null=True, blank=True)
    closing_asked_by = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("here since"), auto_now_add=True)

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do: an owner everything, an editor all but people, keys and deletion, a viewer look."""

    OWNER = "owner", _("Owner")
    EDITOR = "editor", _("Editor")
    VIEWER = "viewer", _("Viewer")


class Membership(MerchantOwned):
    """One person in one merchant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["user", "merchant"], name="membership_once"),
        ]


class Invitation(MerchantOwned):
    """An e-mail that lets somebody join; the link's secret is stored as a hash."""

    secret_columns: ClassVar[tuple[str, ...]] = ("secret_hash",)
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.EDITOR)
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                Lower("email"), "merchant", condition=models.Q(accepted_at=None), name="invitation_open_once"
            ),
        ]


class ApiKey(MerchantOwned):
    """``imk_live_<id><secret><checksum>``: the id is stored and an HMAC of the secret; shown once (robustness.md)."""

    secret_columns: ClassVar[tuple[str, ...]] = ("secret_hmac",)

    class Scope(models.TextChoices):
        """A write key reads as well."""

        READ = "read", _("read")
        WRITE = "write", _("read and write")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hmac = models.CharField(max_length=64)
    name = models.CharField(_("name"), max_length=80)
    store = models.CharField(_("store"), max_length=120, blank=True, help_text="which shop uses it")
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.READ)
    live = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
