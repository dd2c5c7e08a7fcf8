"""Garments and their photos, and what a shoot is made of: personas, scenes, poses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.templatetags.static import static
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.models.moderation import Moderated
from accounts.scoping import LibraryItem, MerchantOwned
from catalog.traits import trait_labels
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import Job
from imodel_site.lib.signing import media_url


class Asset(MerchantOwned, Moderated):
    """An uploaded picture, once per merchant: upright, without metadata, under keys that can not be guessed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sha256 = models.CharField(max_length=64, help_text="of the bytes as they came in")
    key = models.CharField(max_length=200, help_text="the original, cleaned; storage key")
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bytes = models.BigIntegerField(help_text="of the original and its thumbnails")
    thumbs = models.JSONField(default=dict, help_text='storage keys by size: {"small", "medium", "large"}')
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "sha256"], name="asset_once_per_merchant"),
        ]


class Category(models.TextChoices):
    """What kind of garment; decides which part of the body is looked at first."""

    TOP = "top", _("Top")
    SHIRT = "shirt", _("Shirt")
    SWEATER = "sweater", _("Sweater")
    JACKET = "jacket", _("Jacket")
    COAT = "coat", _("Coat")
    DRESS = "dress", _("Dress")
    SKIRT = "skirt", _("Skirt")
    TROUSERS = "trousers", _("Trousers")
    SUIT = "suit", _("Suit")
    OTHER = "other", _("Other")


class Garment(MerchantOwned):
    """One article of the catalog."""

    class Status(models.TextChoices):
        """A draft came from an import or a bare upload and lacks something."""

        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        ARCHIVED = "archived", _("archived")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=200)
    sku = models.CharField(_("SKU"), max_length=80, blank=True)
    category = models.CharField(_("category"), max_length=12, choices=Category.choices, default=Category.OTHER)
    colour = models.CharField(_("colour"), max_length=60, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE)
    search = models.TextField(editable=False, help_text="name, SKU, colour and tags, folded for searching")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "sku"], condition=~models.Q(sku=""), name="garment_sku_once"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["merchant", "status", "-id"], name="garment_newest"),
            models.Index(fields=["merchant", "status", "name", "id"], name="garment_by_name"),
            models.Index(fields=["merchant", "category", "-id"], name="garment_by_category"),
            models.Index(fields=["merchant", "-updated_at", "-id"], name="garment_changed"),
        ]

    def __str__(self) -> str:
        return self.name


class GarmentTag(MerchantOwned):
    """A word on a garment."""

    garment = models.ForeignKey(Garment, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["garment", "name"], name="tag_once")]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["merchant", "name"], name="tag_by_name")]


class View(models.TextChoices):
    """Which side of the garment a photo shows."""

    FRONT = "front", _("Front")
    BACK = "back", _("Back")
    SIDE = "side", _("Side")
    DETAIL = "detail", _("Detail")


class GarmentPhoto(MerchantOwned):
    """A photo of a garment on a mannequin or a person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    garment = models.ForeignKey(Garment, on_delete=models.CASCADE, related_name="photos")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    view = models.CharField(max_length=6, choices=View.choices, default=View.FRONT)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["garment", "asset"], name="photo_once_per_garment"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["garment", "position", "id"], name="photo_in_order")]


class Look(MerchantOwned, Job):
    """The light-lane job that looks at a photo once: who stands how, and which pixels may be the garment."""

    lane: ClassVar[str] = "light"

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="look")
    # {"parts": [{"part", "score", "key", "box", "share"}], "best", "pose": rows or null, "skeleton": key or null}
    found = models.JSONField(default=dict)

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass


class Embedding(MerchantOwned, Job):
    """The light-lane job that reads a photo once for an encoder, so that a click on it costs milliseconds."""

    lane: ClassVar[str] = "light"

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="embeddings")
    encoder = models.CharField(max_length=80, help_text="family and the first 12 digits of its weights' sha256")
    key = models.CharField(max_length=200, blank=True, help_text="the .npy, gzipped; storage key")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the .npy itself")
    bytes = models.PositiveIntegerField(default=0, help_text="as stored")

    class Meta(MerchantOwned.Meta, Job.Meta):
        constraints: ClassVar[list[Any]] = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["asset", "encoder"], name="embedding_once_per_encoder"),
        ]


class Decoder(models.Model):
    """What turns the embeddings of an encoder into masks, handed over by the worker that has the weights.

    The bundled one is a static file and has no row. The file is of nobody's: it lies beside those of the merchants.
    """

    encoder = models.CharField(max_length=80, unique=True)
    sha256 = models.CharField(max_length=64, help_text="of the .onnx; its storage key is made of it")
    bytes = models.PositiveIntegerField()
    # The encoder of a family that was seen last is the one that new embeddings are made with.
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.encoder


class GarmentMask(MerchantOwned):
    """Which pixels of a photo are the garment, as its merchant says; it counts before what was proposed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="garment_mask")
    key = models.CharField(max_length=200, help_text="a PNG of the photo's size, white is garment; storage key")
    sha256 = models.CharField(max_length=64, help_text="of that PNG")
    edits = models.JSONField(default=dict, help_text="how it came about, for the editor to go on with")
    saved_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(MerchantOwned.Meta):
        pass

    @property
    def variant(self) -> str:
        """What its file is called in addresses: another one after each change, or a cache would show the old mask."""
        return f"own-{self.sha256[:12]}"

    def open_to(self, *, bearer: bool) -> bool:
        """It shows its photo well enough to go with it."""
        return bool(self.asset.open_to(bearer=bearer))


class PhotoSkeleton(MerchantOwned):
    """How somebody stands on a photo, as its merchant says; it counts before what was seen."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="photo_skeleton")
    landmarks = models.JSONField(default=list, help_text="33 rows of x, y, z, confidence in pixels of the photo")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(MerchantOwned.Meta):
        pass


class CatalogImport(MerchantOwned, Job):
    """A feed on its way into the catalog: previewed first, then run row by row in the light lane."""

    lane: ClassVar[str] = "light"

    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, help_text="the uploaded file; storage key")
    mapping = models.JSONField(default=dict, help_text="our field by their column")
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(MerchantOwned.Meta, Job.Meta):
        pass

    def on_ended(self) -> None:
        """Called by ``transitions.advance`` once for each end, in its transaction."""
        from catalog.services import importing

        importing.ended(self)


class FeedMapping(MerchantOwned):
    """Which column of a format is what, as this merchant said last."""

    format = models.CharField(max_length=20)
    # Our field by the heading, folded; empty for a column that was left out.
    columns = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "format"], name="feed_mapping_once_per_format"),
        ]


class ImportRow(MerchantOwned):
    """What became of one row of a CSV; written once, so that an import that starts again goes on where it was."""

    run = models.ForeignKey(CatalogImport, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(help_text="in the file, the heading is 1")
    garment = models.ForeignKey(Garment, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.BooleanField(default=False)
    # Whether anything of a garment that was there is other than before; null in rows of older versions.
    changed = models.BooleanField(null=True, blank=True)
    code = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True, help_text="in English; rows of older versions have nothing else")
    # What is said of it, to be read in any language (imodel_site/lib/said.py): [{"line", "code", "text", "params"}].
    problems = models.JSONField(null=True, blank=True)
    field = models.CharField(max_length=40, blank=True)

    class Meta(MerchantOwned.Meta):
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["run", "line"], name="import_row_once")]


class Shared(LibraryItem):
    """What the three libraries have in common."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=60, help_text="the preset's name in studio, or the merchant's own slug")
    title = models.CharField(_("name"), max_length=80)
    picture = models.CharField(max_length=120, blank=True, help_text="static path of the shared ones")
    asset = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(LibraryItem.Meta):
        abstract = True
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["merchant", "name"], name="%(class)s_own_once"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(merchant=None), name="%(class)s_shared_once"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def label(self) -> str:
        """The title as people read it; that of a shared one is translated (catalog/traits.py lists them)."""
        return self.title if self.merchant_id else gettext(self.title)

    @property
    def picture_url(self) -> str:
        """Its own photo, else its static picture; empty for neither."""
        if self.asset_id:
            return media_url(self.asset, "small")
        try:
            return static(self.picture) if self.picture else ""
        except ValueError:  # not in the manifest: a picture that a newer studio brings is drawn with the next build
            return ""


class Persona(Shared):
    """Who wears the garment; the words are made from choices, nobody types them."""

    words = models.CharField(max_length=200)
    below = models.CharField(max_length=120, help_text="what goes below a top")
    above = models.CharField(max_length=120, help_text="what goes above trousers or a skirt")
    traits = models.JSONField(default=dict, blank=True, help_text="the choices that made the words")

    @property
    def described(self) -> str:
        """The words as people read them: they are English, for the engine; other languages name the choices."""
        if (get_language() or "en").startswith("en"):
            return self.words
        return trait_labels(self.traits)

    class Meta(Shared.Meta):
        pass


class Scene(Shared):
    """Where the picture is taken."""

    words = models.CharField(max_length=200)

    @property
    def described(self) -> str:
        """The words as people read them; they are English, for the engine, and a title says enough elsewhere."""
        return self.words if (get_language() or "en").startswith("en") else ""

    class Meta(Shared.Meta):
        pass


class Pose(Shared):
    """How the model stands."""

    landmarks = models.JSONField(null=True, blank=True, help_text="33 rows; null for the studio's own of that name")

    class Meta(Shared.Meta):
        pass
