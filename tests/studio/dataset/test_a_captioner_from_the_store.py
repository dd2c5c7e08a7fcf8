"""BLIP as a user would save it: a tiny one of random weights, imported, read back, and heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

from studio.dataset.captioner import MOST_TOKENS, Captioner, bring_up
from studio.errors import WeightsError
from studio.weights.importing import import_weights

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] [DEC] a woman man in on the beach dress wall park standing of front".split()


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder: ``model/`` and ``processor/``, by ``save_pretrained``."""
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path / "store"))
    torch.manual_seed(3)
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    marks = {"bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    config = BlipConfig(
        text_config={**size, **marks, "vocab_size": len(WORDS), "max_position_embeddings": 64,
                     "encoder_hidden_size": 32, "initializer_range": 0.5},
        vision_config={**size, "image_size": 32, "patch_size": 8}, projection_dim=16, image_text_hidden_size=16,
    )  # fmt: skip
    model = BlipForConditionalGeneration(config)
    with torch.no_grad():
        model.text_decoder.cls.predictions.bias[6:] += 4  # words rather than marks
    model.save_pretrained(tmp_path / "mine" / "model")
    words = BertTokenizer(vocab={word: place for place, word in enumerate(WORDS)})
    look = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(look, words).save_pretrained(tmp_path / "mine" / "processor")
    return tmp_path / "mine"


def test_without_weights_there_is_no_captioner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMODEL_WEIGHTS", str(tmp_path))
    assert bring_up() is None


def test_it_says_what_transformers_own_call_says_and_the_same_each_time(mine: Path) -> None:
    import_weights("captioner", mine, parts={})
    captioner = bring_up()
    assert isinstance(captioner, Captioner)
    rng = np.random.default_rng(2)
    pictures = [Image.fromarray(rng.integers(0, 255, (50, 40, 3), np.uint8)) for _ in range(3)]
    said = captioner.describe(pictures)
    model = BlipForConditionalGeneration.from_pretrained(mine / "model").eval()
    processor = BlipProcessor.from_pretrained(mine / "processor")
    expected = []
    for picture in pictures:
        given = processor(images=picture, return_tensors="pt")
        tokens = model.generate(**given, max_new_tokens=MOST_TOKENS, num_beams=3, do_sample=False)
        expected.append(processor.decode(tokens[0], skip_special_tokens=True).strip())
    assert said == expected == captioner.describe(pictures)
    assert any(said) and all(word in WORDS for sentence in said for word in sentence.split())


def test_damaged_weights_are_said(mine: Path) -> None:
    located = import_weights("captioner", mine, parts={}).located
    (located.root / "model" / "model.safetensors").write_bytes(b"short")
    with pytest.raises(WeightsError) as caught:
        bring_up()
    assert caught.value.code == "weights_damaged"
    assert (
        "import captioner" in caught.value.message
        or "verify" in caught.value.message
        or "again" in caught.value.message
    )
