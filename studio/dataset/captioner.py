"""What a captioner says of a picture: BLIP (Li et al. 2022, arXiv:2201.12086) through transformers.

Only what the rest can not know is taken from it: who wears the garment, and where. What it says of clothes is left out:
the catalog knows better. Importing this module is cheap; torch and transformers come with :meth:`Captioner.load`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image

from studio.errors import EngineError, WeightsError
from studio.weights.store import locate
from studio.weights.types import LocatedWeights

FAMILY = "captioner"
MOST_TOKENS, BEAMS = 30, 3
WEARERS = {"woman": "woman", "girl": "woman", "lady": "woman", "man": "man", "boy": "man", "guy": "man"}
_WHO = re.compile(r"\b(woman|girl|lady|man|boy|guy)\b")
_WHERE = re.compile(
    r"\b(?:standing|sitting|posing|walking|leaning)?\s*"
    r"((?:in front of|on top of|on|at|near|next to|beside|against|by) (?:a|an|the) [a-z]+(?: [a-z]+){0,3})$"
)
_CLOTHES = re.compile(
    r"\b(?:dress|shirt|t-shirt|tee|top|blouse|sweater|jumper|hoodie|cardigan|coat|jacket|suit|skirt|trousers|pants|"
    r"jeans|shorts|mannequin|hanger|shoes|hat|tie)s?\b"
)


@dataclass(frozen=True)
class Said:
    """What is taken from a captioner's sentence; an empty string: nothing.

    Attributes:
        wearer: woman or man.
        where: as a phrase: ``"in front of a brick wall"``.
    """

    wearer: str
    where: str


class Describer(Protocol):
    """Says what a picture shows."""

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        """A sentence in English for each RGB picture."""
        ...


def bring_up(*, device: str = "cpu") -> Describer | None:
    """The captioner whose weights are here; None when there are none.

    Raises:
        WeightsError: weights are here, but damaged.
    """
    try:
        located = locate(FAMILY)
    except WeightsError as error:
        if error.code == "weights_missing":
            return None
        raise
    return Captioner.load(located, device=device)


class Captioner:
    """BLIP, resident."""

    def __init__(self, model: Any, processor: Any) -> None:
        """``model``: a BlipForConditionalGeneration in eval mode; ``processor``: its BlipProcessor."""
        self._model, self._processor = model, processor

    @classmethod
    def load(cls, located: LocatedWeights, *, device: str) -> Captioner:
        """From the weights store: safetensors only, no network, no code of the folder's.

        Raises:
            WeightsError: ``weights_damaged``.
        """
        import torch
        from safetensors import SafetensorError
        from transformers import BlipForConditionalGeneration, BlipProcessor

        model, processor = located.components["model"], located.components["processor"]
        try:
            loaded = BlipForConditionalGeneration.from_pretrained(
                model, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
            words = BlipProcessor.from_pretrained(processor, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
            raise WeightsError(
                "weights_damaged",
                f"The captioner could not be read ({type(error).__name__}). "
                f"Run `python -m studio weights verify {located.family.name}`.",
            ) from error
        return cls(loaded.to(device).eval().requires_grad_(False), words)

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        """As :class:`Describer`; equal pictures get equal sentences.

        Raises:
            EngineError: ``captioner_failed``.
        """
        import torch

        said = []
        for picture in pictures:
            try:
                given = self._processor(images=picture.convert("RGB"), return_tensors="pt").to(self._model.device)
                with torch.inference_mode():
                    tokens = self._model.generate(**given, max_new_tokens=MOST_TOKENS, num_beams=BEAMS, do_sample=False)
            except RuntimeError as error:
                raise EngineError("captioner_failed", f"The captioner could not look: {error}") from error
            said.append(str(self._processor.decode(tokens[0], skip_special_tokens=True)).strip())
        return said


def taken(sentence: str) -> Said:
    """Wearer and place of a captioner's sentence."""
    text = " ".join(sentence.lower().split()).rstrip(".")
    who, where = _WHO.search(text), _WHERE.search(text)
    place = where[1] if where and not _CLOTHES.search(where[1]) else ""
    return Said(WEARERS[who[1]] if who else "", place)
