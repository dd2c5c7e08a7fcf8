"""What A1111 reads out of a prompt: ``<lora:name:weight>``, and marks that our text encoder takes for plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.text import slugify

from accounts.actors import Actor
from generation.expert import AdapterChoice
from generation.surfaces.a1111.fields import as_number
from training.models import AdapterVersion
from training.services import adapters

TAG = re.compile(r"<(\w+):([^<>:]*)((?::[^<>:]*)*)>")
EMPHASIS = re.compile(r"\((?:[^()\\]|\\.)*:\s*[\d.]+\)")

# The tags that were found, the files they name, and what is said about the others.
Resolved = tuple[tuple["Lora", ...], tuple[AdapterChoice, ...], list[str]]


@dataclass(frozen=True)
class Lora:
    """A tag: ``name`` as it was written."""

    name: str
    weight: float


@dataclass(frozen=True)
class Read:
    """A prompt without its tags."""

    words: str
    loras: tuple[Lora, ...]
    warnings: tuple[str, ...]


def read(prompt: str, *, tags: bool = True, why: str = "extra networks are disabled") -> Read:
    """Take a prompt apart; ``tags`` False leaves A1111's tags out without using them, and says ``why``."""
    loras: list[Lora] = []
    warnings: list[str] = []

    def found(tag: re.Match[str]) -> str:
        kind, name, rest = tag.group(1).lower(), tag.group(2).strip(), tag.group(3).split(":")[1:]
        weight = as_number(rest[0]) if rest and rest[0] else 1.0
        if not tags:
            warnings.append(f"<{kind}:{name}> was left out: {why}")
        elif kind != "lora":
            warnings.append(f"<{kind}:{name}> was left out: only LoRAs are served here")
        elif weight is None:
            warnings.append(f"<lora:{name}> was left out: its weight is no number")
        else:
            loras.append(Lora(name, weight))
            if len(rest) > 1:
                warnings.append(f"<lora:{name}>: one weight for all parts; the others were not applied")
        return ""

    words = TAG.sub(found, prompt).strip()
    return Read(words, tuple(loras), (*warnings, *_marks(words)))


def _marks(words: str) -> list[str]:
    found = []
    if EMPHASIS.search(words):
        found.append("(word:1.2) is read as plain words: there is no emphasis here")
    if re.search(r"\b(AND|BREAK)\b", words):
        found.append("AND and BREAK are read as plain words")
    return found


def name_of(version: AdapterVersion) -> str:
    """What a prompt calls it: a word of its garment's or its own name, and the end of its id."""
    adapter = version.adapter
    title = adapter.garment.name if adapter.garment else adapter.name
    return f"{slugify(title, allow_unicode=True) or 'lora'}-{adapter.pk.hex[-6:]}"


def mine() -> list[AdapterVersion]:
    """Every version in use of the open scope's shop."""
    rows = AdapterVersion.objects.filter(promoted=True).select_related("adapter__garment", "training")
    return list(rows.order_by("-adapter_id"))


def resolve(actor: Actor, loras: tuple[Lora, ...], *, family: str) -> Resolved:
    """The caller's own trained garments of these names, and a warning for each that is not among them.

    A LoRA of another shop, one of other weights and one that never was are the same: not found.

    Raises:
        Conflict: ``photo_rejected``: moderation took down a photo that it learned from.
    """
    known = [version for version in mine() if version.adapter.family == family] if loras else []
    used: list[Lora] = []
    chosen: list[AdapterChoice] = []
    warnings = []
    for lora in loras:
        version = _named(lora.name, known)
        if version is None:
            warnings.append(f"Networks not found: {lora.name}")
            continue
        adapters.refuse_withheld(version)
        used.append(lora)
        chosen.append(AdapterChoice(version=version, weight=lora.weight))
    return tuple(used), tuple(chosen), warnings


def _named(name: str, known: list[AdapterVersion]) -> AdapterVersion | None:
    wanted = name.casefold().removesuffix(".safetensors")
    return next((version for version in known if wanted in _names(version)), None)


def _names(version: AdapterVersion) -> set[str]:
    found = {name_of(version), version.trigger, version.adapter.name, str(version.adapter_id)}
    return {name.casefold() for name in found if name}


def listed() -> list[dict[str, Any]]:
    """As ``/sdapi/v1/loras`` answers: names, never paths."""
    return [
        {
            "name": name_of(version),
            "alias": version.trigger or name_of(version),
            "path": name_of(version),
            "metadata": {
                "ss_base_model_version": version.adapter.family,
                "trigger": version.trigger,
                "sha256": version.sha256,
                "preferred_weight": version.weight,
            },
        }
        for version in mine()
    ]
