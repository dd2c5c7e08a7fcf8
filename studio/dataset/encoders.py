"""What a family's tokenizer makes of captions and trigger words, read from its files alone: no torch."""

from __future__ import annotations

import json
from pathlib import Path

from studio.dataset.preflight import Words
from studio.errors import WeightsError

START, END = "<|startoftext|>", "<|endoftext|>"


def words_of(folder: Path) -> Words:
    """The tokenizer of a CLIP text encoder.

    Args:
        folder: a family's ``tokenizer`` part: ``vocab.json``, ``merges.txt`` and ``tokenizer_config.json``.

    Raises:
        WeightsError: ``weights_damaged``.
    """
    from transformers import CLIPTokenizer

    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        most = int(json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))["model_max_length"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError("weights_damaged", f"The tokenizer in {folder} can not be read ({error}).") from error
    unknown = tokenizer.unk_token_id

    def inner(word: str) -> list[int]:
        return list(tokenizer(word, add_special_tokens=False)["input_ids"])

    return Words(
        count=lambda text: len(inner(text)) + 2,
        most=most,
        known=lambda word: len(inner(word)) == 1,
        spells=lambda word: bool(inner(word)) and unknown not in inner(word),
    )
