"""What pages send: the shoot, the expert's request, the history's filters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from generation.expert import (
    CONTROLS,
    SCHEDULES,
    ControlChoice,
    ExpertChoices,
    defaults_of,
    generating_families,
    sampler_names,
)
from generation.history import Filters
from generation.models import Kind, Verdict
from generation.orders import LONGEST_OUTFIT, MOST, SEEDS, Choices
from studio.diffusion.checks import MAX_BATCH, MAX_GUIDANCE, MAX_ITERATIONS, MAX_PROMPT, MAX_STEPS
from studio.diffusion.types import Fill, Resize
from studio.shoot.presets import CROP_WORDS, OUTFITS

CROPS = {"head-to-toe": _("Head to toe"), "knee-up": _("From the knees up"), "waist-up": _("From the waist up")}
PARTS = {
    "auto": _("As found"),
    "upper": _("Upper"),
    "lower": _("Lower"),
    "full": _("All of it"),
    "own": _("Marked by hand"),
}
OUTFIT_TITLES = {
    "red-dress": _("Red dress"),
    "navy-coat": _("Navy coat"),
    "white-shirt": _("White shirt"),
    "green-sweater": _("Green sweater"),
    "striped-tee": _("Striped T-shirt"),
    "mamianqun": _("Mamianqun"),
}
KINDS = [(value, label) for value, label in Kind.choices if value != Kind.EXPERT]
BEST_OF = [(1, _("Take it as it comes")), (2, _("Better of 2")), (3, _("Best of 3")), (4, _("Best of 4"))]


def crop_choices() -> list[tuple[str, Any]]:
    """The crops by their title."""
    return [(name, CROPS.get(name, name)) for name in CROP_WORDS]


def outfit_choices() -> list[tuple[str, Any]]:
    """The outfits by their title."""
    return [(name, OUTFIT_TITLES.get(name, words)) for name, words in OUTFITS.items()]


NO_ADAPTER = "none"


class ShootForm(forms.Form):
    """The wizard; what is missing keeps what was preselected, so one tap is enough."""

    once = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(choices=KINDS, required=False)
    photo = forms.UUIDField(required=False)
    part = forms.ChoiceField(choices=list(PARTS.items()), required=False)
    mask = forms.FileField(required=False)
    persona = forms.UUIDField(required=False)
    scene = forms.UUIDField(required=False)
    pose = forms.UUIDField(required=False)
    crop = forms.ChoiceField(choices=crop_choices(), required=False)
    outfit = forms.CharField(max_length=LONGEST_OUTFIT, required=False)
    adapter = forms.CharField(max_length=36, required=False)
    adapter_weight = forms.FloatField(min_value=0, max_value=2, required=False)
    count = forms.IntegerField(min_value=1, max_value=MOST, required=False)
    best_of = forms.TypedChoiceField(choices=BEST_OF, coerce=int, empty_value=None, required=False)

    def choices(self, *, mask: str = "") -> Choices:
        """What was chosen, over what is preselected."""
        chosen = {key: value for key, value in self.cleaned_data.items() if value not in (None, "")}
        fields: tuple[str, ...] = (
            "kind",
            "photo",
            "part",
            "persona",
            "scene",
            "pose",
            "crop",
            "outfit",
            "count",
            "best_of",
        )
        fields += ("adapter", "adapter_weight")
        found = {name: chosen[name] for name in fields if name in chosen}
        if chosen.get("adapter") == NO_ADAPTER:
            found["adapter"] = None
        return Choices(**found, mask=mask)


# The engine's own names of its options, for people.
SAID = {
    "Automatic": _("Automatic"),
    "stretch": _("Stretch"),
    "crop": pgettext_lazy("cut off", "Crop"),
    "pad": _("Pad"),
    "FILL": _("Fill"),
    "ORIGINAL": _("Original"),
    "LATENT_NOISE": _("Latent noise"),
    "LATENT_NOTHING": _("Latent nothing"),
}


class ExpertForm(forms.Form):
    """Every parameter of txt2img and img2img, with its limits; the help texts use the words experts know."""

    once = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    engine = forms.ChoiceField(label=_("Weights"))
    prompt = forms.CharField(label=_("Prompt"), max_length=MAX_PROMPT, widget=forms.Textarea(attrs={"rows": 3}))
    negative_prompt = forms.CharField(
        label=_("Negative prompt"), max_length=MAX_PROMPT, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    width = forms.IntegerField(label=_("Width"), min_value=64, max_value=2048, required=False, help_text=_("px"))
    height = forms.IntegerField(label=_("Height"), min_value=64, max_value=2048, required=False, help_text=_("px"))
    seed = forms.IntegerField(
        label=_("Seed"), min_value=-1, max_value=SEEDS - 1, initial=-1, help_text=_("-1 draws one")
    )
    batch_size = forms.IntegerField(label=_("Batch size"), min_value=1, max_value=MAX_BATCH, initial=1)
    iterations = forms.IntegerField(label=_("Batches"), min_value=1, max_value=MAX_ITERATIONS, initial=1)
    steps = forms.IntegerField(label=_("Steps"), min_value=1, max_value=MAX_STEPS, required=False)
    guidance_scale = forms.FloatField(label=_("Guidance scale"), min_value=0, max_value=MAX_GUIDANCE, required=False)
    sampler = forms.ChoiceField(label=_("Sampler"), required=False)
    scheduler = forms.ChoiceField(
        label=_("Scheduler"), choices=[(name, SAID.get(name, name)) for name in SCHEDULES], initial="Automatic"
    )
    clip_skip = forms.IntegerField(label=_("CLIP skip"), min_value=1, max_value=12, initial=1)
    denoising_strength = forms.FloatField(
        label=_("Denoising strength"), min_value=0.01, max_value=1, initial=1, help_text=_("below 1 needs a picture")
    )
    image = forms.FileField(label=_("Picture to start from"), required=False)
    resize = forms.ChoiceField(
        label=_("Resize mode"), choices=[(mode.value, SAID[mode.value]) for mode in Resize], initial="stretch"
    )
    mask = forms.FileField(label=_("Mask"), required=False, help_text=_("White is repainted"))
    mask_blur = forms.FloatField(label=_("Mask blur"), min_value=0, max_value=64, initial=4, help_text=_("px"))
    mask_invert = forms.BooleanField(label=_("Repaint the black instead"), required=False)
    fill = forms.TypedChoiceField(
        label=_("Masked content"),
        coerce=int,
        choices=[(fill.value, SAID[fill.name]) for fill in Fill],
        initial=Fill.ORIGINAL.value,
    )
    only_masked = forms.BooleanField(label=_("Only the masked area, at full size"), required=False)
    only_masked_padding = forms.IntegerField(
        label=_("Padding around it"), min_value=0, max_value=1024, initial=32, help_text=_("px")
    )
    paste_back = forms.BooleanField(label=_("Put the unmasked pixels back"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The lists that depend on the installation, and the ControlNet units."""
        super().__init__(*args, **kwargs)
        families = generating_families()
        self.fields["engine"].choices = [(name, name) for name in families]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["engine"].initial = settings.ENGINE
        samplers = [("", _("The weights' own")), *((name, name) for name in sampler_names())]
        self.fields["sampler"].choices = samplers  # type: ignore[attr-defined]  # a ChoiceField
        defaults = defaults_of(settings.ENGINE)
        for name in ("width", "height", "steps", "guidance_scale"):
            self.fields[name].widget.attrs["placeholder"] = getattr(defaults, name)
        for name in ("width", "height"):
            self.fields[name].widget.attrs["step"] = 8
        for name in ("denoising_strength", "mask_blur", "guidance_scale"):
            self.fields[name].widget.attrs["step"] = "any"
        for number in range(CONTROLS):
            self.fields |= _control_fields(number)

    def choices(self, *, files: dict[str, str]) -> ExpertChoices:
        """What was asked for; ``files`` are the storage keys of the pictures by field."""
        names = ExpertChoices.__dataclass_fields__
        plain = {name: value for name, value in self.cleaned_data.items() if name in names and name not in files}
        plain |= {"image": files.get("image", ""), "mask": files.get("mask", "")}
        controls = tuple(
            self._control(number, key) for number in range(CONTROLS) if (key := files.get(f"control_{number}"))
        )
        return ExpertChoices(**plain, controls=controls)

    def _control(self, number: int, key: str) -> ControlChoice:
        named = {name: self.cleaned_data[f"control_{name}_{number}"] for name in ("weight", "start", "end")}
        return ControlChoice(image=key, **named)

    def controls(self) -> list[list[Any]]:
        """The bound fields of each ControlNet unit."""
        names = [
            [f"control_{n}", f"control_weight_{n}", f"control_start_{n}", f"control_end_{n}"] for n in range(CONTROLS)
        ]
        return [[self[name] for name in unit] for unit in names]

    def group(self, *names: str) -> list[Any]:
        """Bound fields by name."""
        return [self[name] for name in names]

    def size_fields(self) -> list[Any]:
        """Width and height."""
        return self.group("width", "height")

    def sampling_fields(self) -> list[Any]:
        """How it is sampled."""
        return self.group("steps", "guidance_scale", "sampler", "scheduler", "clip_skip")

    def batch_fields(self) -> list[Any]:
        """How many, and from which seed."""
        return self.group("seed", "batch_size", "iterations")

    def image_fields(self) -> list[Any]:
        """What it starts from."""
        return self.group("image", "denoising_strength", "resize")

    def mask_fields(self) -> list[Any]:
        """What is repainted."""
        return self.group(
            "mask", "mask_blur", "fill", "only_masked_padding", "mask_invert", "only_masked", "paste_back"
        )


def _control_fields(number: int) -> dict[str, forms.Field]:
    any_step = {"step": "any"}
    return {
        f"control_{number}": forms.FileField(
            label=_("Skeleton"), required=False, help_text=_("An OpenPose drawing on black")
        ),
        f"control_weight_{number}": forms.FloatField(
            label=_("Weight"), min_value=0, max_value=2, initial=1, widget=forms.NumberInput(any_step)
        ),
        f"control_start_{number}": forms.FloatField(
            label=_("From"), min_value=0, max_value=1, initial=0, widget=forms.NumberInput(any_step)
        ),
        f"control_end_{number}": forms.FloatField(
            label=_("To"), min_value=0, max_value=1, initial=1, widget=forms.NumberInput(any_step)
        ),
    }


class HistoryForm(forms.Form):
    """Filters of the pictures; what makes no sense is not filtered by."""

    garment = forms.UUIDField(required=False)
    persona = forms.UUIDField(required=False)
    shoot = forms.UUIDField(required=False)
    kind = forms.ChoiceField(choices=Kind.choices, required=False)
    verdict = forms.ChoiceField(choices=Verdict.choices, required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    favourite = forms.BooleanField(required=False)
    tag = forms.CharField(max_length=40, required=False)
    deleted = forms.BooleanField(required=False)

    def filters(self) -> Filters:
        """What is to be shown."""
        self.is_valid()
        chosen = {key: value for key, value in self.cleaned_data.items() if value not in (None, "")}
        return Filters(**chosen)
