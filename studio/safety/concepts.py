"""diffusers' StableDiffusionSafetyChecker, asked for its scores and never allowed to paint a picture black.

A CLIP vision model embeds the picture; its cosine to 17 concepts and 3 of "special care" is held against a threshold
for each, learned and shipped with the weights. One special care concept above its threshold lowers those of the 17 by
0.01. Source: diffusers' ``pipelines/stable_diffusion/safety_checker.py``; what the concepts are was never published,
Rando et al. 2022, "Red-Teaming the Stable Diffusion Safety Filter", https://arxiv.org/abs/2210.04610, found them to be
sexual content only: no violence, no symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from studio.diffusion.parts import check_folder
from studio.errors import EngineError, WeightsError
from studio.safety.types import Finding, Reason
from studio.weights.types import LocatedWeights

NAME = "diffusers-clip"
SPECIAL_CARE_ADJUSTMENT = 0.01
DIGITS = 3  # as the original rounds before it compares


class ConceptChecker:
    """The checker of Stable Diffusion, resident."""

    def __init__(self, model: Any, processor: Any) -> None:
        """``model``: a StableDiffusionSafetyChecker in eval mode; ``processor``: its CLIPImageProcessor."""
        self._model, self._processor = model, processor

    @classmethod
    def load(cls, located: LocatedWeights, *, device: str) -> ConceptChecker:
        """From the weights store: safetensors only, no network, no code of the folder's.

        Raises:
            WeightsError: ``weights_missing``, ``pickle_refused``, ``weights_damaged``.
        """
        import torch
        from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
        from safetensors import SafetensorError
        from transformers import CLIPImageProcessor

        folder, settings = located.components["safety_checker"], located.components["feature_extractor"]
        check_folder(located.family.name, "safety_checker", folder)
        try:
            model = StableDiffusionSafetyChecker.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
            processor = CLIPImageProcessor.from_pretrained(settings, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise WeightsError(
                "weights_damaged",
                f"The safety checker could not be read ({type(error).__name__}). "
                f"Run `python -m studio weights verify {located.family.name}`.",
            ) from error
        return cls(model.to(device).eval().requires_grad_(False), processor)

    def look(self, pictures: Sequence[Image.Image]) -> list[Finding]:
        """As :class:`studio.safety.SafetyChecker`.

        Raises:
            EngineError: ``safety_engine_failed``.
        """
        if not pictures:
            return []
        try:
            concepts, special = self._scores(pictures)
        except RuntimeError as error:
            raise EngineError("safety_engine_failed", f"The safety checker could not look: {error}") from error
        return [finding(own, care) for own, care in zip(concepts, special, strict=True)]

    def _scores(self, pictures: Sequence[Image.Image]) -> tuple[list[list[float]], list[list[float]]]:
        """For each picture the cosine minus its threshold, of the concepts and of those of special care."""
        import torch
        from diffusers.pipelines.stable_diffusion.safety_checker import cosine_distance

        model = self._model
        pixels = self._processor([picture.convert("RGB") for picture in pictures], return_tensors="pt").pixel_values
        with torch.inference_mode():
            embedded = model.visual_projection(model.vision_model(pixels.to(model.device))[1])
            own = cosine_distance(embedded, model.concept_embeds) - model.concept_embeds_weights
            care = cosine_distance(embedded, model.special_care_embeds) - model.special_care_embeds_weights
        return own.cpu().double().tolist(), care.cpu().double().tolist()


def finding(concepts: Sequence[float], special: Sequence[float]) -> Finding:
    """The original's verdict on one picture's margins: any concept above its (adjusted) threshold flags it."""
    care = _above("special_care", special, 0.0)
    found = _above("concept", concepts, SPECIAL_CARE_ADJUSTMENT if care else 0.0)
    return Finding(bool(found), (*found, *care), NAME)


def _above(kind: str, margins: Sequence[float], adjustment: float) -> tuple[Reason, ...]:
    rounded = [round(margin + adjustment, DIGITS) for margin in margins]
    return tuple(Reason(f"{kind}_{place}", margin) for place, margin in enumerate(rounded) if margin > 0)
