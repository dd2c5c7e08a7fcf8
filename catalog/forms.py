"""What people fill in."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog import traits
from catalog.models import Category, Garment
from catalog.services import garments
from catalog.services.garments import Details
from catalog.traits import Traits


class GarmentForm(forms.Form):
    """Everything a merchant says of a garment."""

    name = forms.CharField(label=_("Name"), max_length=garments.NAME_LENGTH)
    sku = forms.CharField(label=_("SKU"), max_length=garments.SKU_LENGTH, required=False)
    category = forms.ChoiceField(label=_("Category"), choices=Category.choices, initial=Category.OTHER)
    colour = forms.CharField(label=_("Colour"), max_length=garments.COLOUR_LENGTH, required=False)
    tags = forms.CharField(
        label=_("Tags"),
        max_length=1500,
        required=False,
        help_text=_("Words with commas between them, such as summer, linen."),
    )
    status = forms.ChoiceField(label=_("Status"), choices=Garment.Status.choices, initial=Garment.Status.ACTIVE)

    @property
    def details(self) -> Details:
        """For the service."""
        given: dict[str, Any] = dict(self.cleaned_data)
        given["tags"] = garments.split_tags(given["tags"])
        return Details(**given)


def initial_of(garment: Garment) -> dict[str, Any]:
    """What the form shows of a garment that is there."""
    tags = ", ".join(garment.tags.order_by("id").values_list("name", flat=True))
    plain = ("name", "sku", "category", "colour", "status")
    return {**{name: getattr(garment, name) for name in plain}, "tags": tags}


class RenameForm(forms.Form):
    """A name alone."""

    name = forms.CharField(label=_("Name"), max_length=garments.NAME_LENGTH)


class ImportForm(forms.Form):
    """A feed."""

    file = forms.FileField(label=_("File"), help_text=_("CSV, TSV, XML or JSON, up to 24 MB and 20,000 rows."))


def _cards(name: Any, table: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=name, choices=traits.options(table), widget=forms.RadioSelect, required=False)


class PersonaForm(forms.Form):
    """A persona from taps; only the name is typed."""

    title = forms.CharField(label=_("Name"), max_length=80)
    gender = _cards(_("Gender"), traits.GENDERS)
    age = _cards(_("Age"), traits.AGES)
    build = _cards(_("Build"), traits.BUILDS)
    skin = _cards(_("Skin"), traits.SKINS)
    hair = _cards(_("Hair"), traits.HAIRS)
    hair_colour = _cards(_("Hair colour"), traits.HAIR_COLOURS)
    below = _cards(_("With a top she or he wears"), traits.BELOWS)
    above = _cards(_("With trousers or a skirt"), traits.ABOVES)

    FIRST: ClassVar[dict[str, str]] = {
        "gender": "woman",
        "age": "",
        "build": "",
        "skin": "light",
        "hair": "long",
        "hair_colour": "brown",
        "below": "navy trousers",
        "above": "white short sleeved t-shirt",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={**self.FIRST, **kwargs.pop("initial", {})}, **kwargs)

    @property
    def traits(self) -> Traits:
        """The choices; one that was left out is the first visit's."""
        chosen = {name: self.cleaned_data.get(name) or self.FIRST[name] for name in Traits.__dataclass_fields__}
        return Traits(**chosen)

    @property
    def outfit(self) -> dict[str, str]:
        """What completes a look."""
        return {name: self.cleaned_data.get(name) or self.FIRST[name] for name in ("below", "above")}


class SceneForm(forms.Form):
    """A scene from taps."""

    title = forms.CharField(label=_("Name"), max_length=80)
    place = forms.ChoiceField(label=_("Place"), choices=traits.options(traits.PLACES), initial="white studio")
    light = _cards(pgettext_lazy("of a scene", "Light"), traits.LIGHTS)
    tone = _cards(_("Colours"), traits.TONES)
    photos = forms.FileField(
        label=_("A picture to know it by"),
        required=False,
        help_text=_("Only shown in your library; the scene is painted from the choices above."),
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )


class PoseForm(forms.Form):
    """A pose from a photo of somebody who stands that way."""

    title = forms.CharField(label=_("Name"), max_length=80)
    photos = forms.FileField(
        label=_("Photo of somebody in this pose"),
        help_text=_("Head to toe, seen clearly. JPEG, PNG or WebP, up to 25 MB."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )


class CopyPoseForm(forms.Form):
    """One's own copy of a pose."""

    title = forms.CharField(label=_("Name"), max_length=80)
    mirrored = forms.BooleanField(label=_("Mirrored: left and right change places"), required=False)
