"""Captions as the denoiser reads them: encoded once where the text encoders stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from studio.lora.networks import Networks


@dataclass(frozen=True)
class Words:
    """n captions: ``states`` (n, tokens, width) for cross attention; ``pooled`` (n, width) for SDXL, else None."""

    states: torch.Tensor
    pooled: torch.Tensor | None

    def rows(self, indices: Sequence[int]) -> Words:
        """Some of them, in this order."""
        picked = torch.as_tensor(list(indices), device=self.states.device)
        return Words(self.states[picked], None if self.pooled is None else self.pooled[picked])


def encode(networks: Networks, captions: Sequence[str]) -> Words:
    """The captions' embeddings, as diffusers' pipelines make them with ``clip_skip`` None.

    SDXL takes both encoders' last but one layer side by side and the second one's projection; the empty caption is
    zeros there, as its pipelines have it (``force_zeros_for_empty_prompt``).
    """
    if not networks.xl:
        tokenizer, encoder = networks.text_encoders[0]
        return Words(encoder(tokens(tokenizer, captions).to(networks.device), return_dict=False)[0], None)
    states, pooled = [], None
    for tokenizer, encoder in networks.text_encoders:
        found = encoder(tokens(tokenizer, captions).to(networks.device), output_hidden_states=True)
        states.append(found.hidden_states[-2])
        pooled = found[0]
    said = torch.tensor([bool(caption) for caption in captions], device=networks.device)
    assert pooled is not None
    return Words(torch.cat(states, dim=-1) * said[:, None, None], pooled * said[:, None])


def encode_once(networks: Networks, captions: Sequence[str], *, at_once: int = 16) -> Words:
    """As :func:`encode`, without gradients and a few at a time, for the cache."""
    with torch.no_grad(), networks.autocast():
        parts = [encode(networks, captions[start : start + at_once]) for start in range(0, len(captions), at_once)]
    pooled = [part.pooled for part in parts if part.pooled is not None]
    return Words(torch.cat([part.states for part in parts]), torch.cat(pooled) if pooled else None)


def tokens(tokenizer: Any, captions: Sequence[str]) -> torch.Tensor:
    """(n, tokens) ids, cut or padded to what the encoder takes."""
    found = tokenizer(
        list(captions),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    return torch.as_tensor(found.input_ids)


def cut_off(networks: Networks, captions: Sequence[str]) -> tuple[int, ...]:
    """Indices of captions longer than the text encoder reads."""
    tokenizer = networks.text_encoders[0][0]
    most = tokenizer.model_max_length
    return tuple(i for i, caption in enumerate(captions) if len(tokenizer(caption, truncation=False).input_ids) > most)
