"""What the page of a new batch sends: any number of garments, models, scenes and poses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog import listing
from generation.batches import MOST_IDS, Wishes
from generation.forms import BEST_OF, crop_choices
from generation.models import Batch
from generation.orders import MOST
from imodel_site.lib.errors import NotHere


class BatchForm(forms.Form):
    """Checkboxes of one name are read from the data itself; an id that is none is as good as a missing one.

    ``all`` stands for every garment that the search of the page finds, whatever page of it is shown.
    """

    once = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=Batch._meta.get_field("name").max_length, required=False)
    all = forms.BooleanField(required=False)
    crop = forms.ChoiceField(label=_("Crop"), choices=crop_choices, required=False)
    count = forms.IntegerField(label=_("Pictures"), min_value=1, max_value=MOST, required=False)
    best_of = forms.TypedChoiceField(choices=BEST_OF, coerce=int, empty_value=None, required=False)

    @property
    def filters(self) -> listing.Filters:
        """Which garments the page offers."""
        return listing.filters_from(self.data)

    @property
    def started(self) -> bool:
        """Whether looks were chosen already; a page that is opened afresh preselects some."""
        return "persona" in self.data or "scene" in self.data or "pose" in self.data

    def wishes(self) -> Wishes:
        """What was chosen, over what is preselected.

        Raises:
            NotHere: an id is none.
        """
        said = self.cleaned_data
        given = {name: said[name] for name in ("name", "crop", "count", "best_of") if said.get(name)}
        poses = tuple(_id(text) if text else None for text in self._many("pose"))
        return Wishes(
            garments=tuple(dict.fromkeys([*self.ids("garment"), *self._all()])),
            photos=self.ids("photo"),
            personas=self.ids("persona"),
            scenes=self.ids("scene"),
            poses=poses or (None,),
            **given,
        )

    def ids(self, name: str) -> tuple[UUID, ...]:
        """The ids under one name."""
        return tuple(_id(text) for text in self._many(name) if text)

    def _all(self) -> list[UUID]:
        """One more than any batch may have says that there are too many."""
        if not self.cleaned_data.get("all"):
            return []
        return list(listing.matching(self.filters).order_by("-id").values_list("pk", flat=True)[: MOST_IDS + 1])

    def _many(self, name: str) -> list[str]:
        return list(self.data.getlist(name)) if hasattr(self.data, "getlist") else []


def _id(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise NotHere from None
