"""Embeddings and masks by onnxruntime: what goes in, what comes out, what is refused."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from studio.errors import InputError, WeightsError
from studio.segmentation.bundled import DECODER, ENCODER, Bundled, bundled
from studio.segmentation.embedding_files import SHAPE, decode_embedding, encode_embedding
from studio.segmentation.onnx_decode import OnnxDecoder, Prompt
from studio.segmentation.onnx_encode import OnnxEncoder, squared

SIZE = (300, 400)


@pytest.fixture(scope="module")
def decoder() -> OnnxDecoder:
    return OnnxDecoder(bundled().read(DECODER))


@pytest.fixture(scope="module")
def embedding() -> np.ndarray:
    return OnnxEncoder(bundled().read(ENCODER)).embed(Image.fromarray(skimage.data.astronaut()))


def npy(values: np.ndarray, **how: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **how)
    return buffer.getvalue()


# --- the encoder's input ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(1000, 500), (500, 1000), (90, 64), (4000, 3), (512, 512)])
def test_a_photo_lies_at_the_top_left_with_its_longest_side_at_512(size: tuple[int, int]) -> None:
    square = squared(Image.new("RGB", size, (200, 100, 50)))
    width, height = (max(1, round(512 * side / max(size))) for side in size)
    assert square.shape == (1, 3, 512, 512) and square.dtype == np.float32
    np.testing.assert_allclose(square[0, :, :height, :width].mean((1, 2)), (200, 100, 50), atol=0.01)
    assert not square[0, :, height:].any() and not square[0, :, :, width:].any()


def test_scaling_down_averages_instead_of_dropping_pixels() -> None:
    stripes = np.zeros((64, 2048, 3), np.uint8)
    stripes[:, ::2] = 255
    assert abs(float(squared(Image.fromarray(stripes))[0, :, :16].mean()) - 127.5) < 3


def test_threads_change_nothing(embedding: np.ndarray) -> None:
    assert embedding.shape == SHAPE and embedding.dtype == np.float32
    again = OnnxEncoder(bundled().read(ENCODER), threads=2).embed(Image.fromarray(skimage.data.astronaut()))
    np.testing.assert_allclose(again, embedding, atol=1e-4 * np.abs(embedding).max())


# --- files ------------------------------------------------------------------------------------------------------------
def test_an_embedding_survives_its_file(embedding: np.ndarray) -> None:
    data = encode_embedding(embedding)
    assert np.load(io.BytesIO(data), allow_pickle=False).dtype == np.float16 and len(data) < 2_100_000
    np.testing.assert_array_equal(decode_embedding(data), embedding.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(decode_embedding(npy(embedding)), embedding)


GOOD = np.zeros(SHAPE, np.float16)
BAD = {
    "another shape": npy(np.zeros((1, 256, 64, 65), np.float16)),
    "one axis less": npy(GOOD[0]),
    "double": npy(np.zeros(SHAPE, np.float64)),
    "whole numbers": npy(np.zeros(SHAPE, np.int16)),
    "big endian": npy(GOOD.astype(">f2")),
    "by columns": npy(np.asfortranarray(np.zeros(SHAPE, np.float16))),
    "cut off": npy(GOOD)[:-1],
    "a tail": npy(GOOD) + b"x",
    "not a number": npy(np.full(SHAPE, np.nan, np.float16)),
    "infinite": npy(np.full(SHAPE, -np.inf, np.float16)),
    "a pickle": npy(np.array([object()], dtype=object), allow_pickle=True),
    "a zip": b"PK\x03\x04" + b"0" * 200,
    "nothing": b"",
    "a header that says more than there is": npy(GOOD).replace(b"64, 64)", b"64,64000)")[:500],
    "a header without an end": b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 70_000,
    "a header that is code": b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').system('x')    \n",
    "a header in braces": b"\x93NUMPY\x01\x00\x00\x04" + b"(" * 1024,
    "a set": b"\x93NUMPY\x01\x00\x05\x00" + b"{1,2}",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_whatever_else_is_refused_by_one_code(data: bytes) -> None:
    with pytest.raises(InputError) as refused:
        decode_embedding(data)
    assert refused.value.code == "embedding_invalid"


def test_what_float16_can_not_hold_is_not_written() -> None:
    for values in (np.full(SHAPE, 1e6, np.float32), np.zeros((1, 256, 64, 63), np.float32)):
        with pytest.raises(InputError, match="embedding"):
            encode_embedding(values)


# --- bundled ----------------------------------------------------------------------------------------------------------
def test_bytes_that_are_not_those_of_the_card_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / ENCODER).write_bytes(b"another model")
    for name, code in ((ENCODER, "weights_damaged"), (DECODER, "weights_missing")):
        with pytest.raises(WeightsError) as refused:
            Bundled(tmp_path, bundled().sha256).read(name)
        assert refused.value.code == code
    with pytest.raises(WeightsError, match="bundled segmenter"):
        bundled(tmp_path)


# --- clicks -----------------------------------------------------------------------------------------------------------
def test_a_click_depends_on_its_place_in_the_photo_and_not_on_the_photos_scale(
    decoder: OnnxDecoder, embedding: np.ndarray
) -> None:
    click = decoder.answer(embedding, Prompt([(100, 200)], [1]), size=SIZE)
    assert click.low_res.shape == (4, 256, 256) and click.scores.shape == (4,)
    larger = decoder.answer(embedding, Prompt([(300, 600)], [1]), size=(900, 1200))
    np.testing.assert_allclose(larger.low_res, click.low_res, rtol=1e-3, atol=1e-3)
    elsewhere = decoder.answer(embedding, Prompt([(200, 100)], [1]), size=SIZE)
    assert not np.allclose(elsewhere.low_res, click.low_res)


def test_removing_a_box_and_refining_each_say_something(decoder: OnnxDecoder, embedding: np.ndarray) -> None:
    plane = np.full((256, 256), 3.0, np.float16)
    prompts = [
        Prompt([(100, 200)], [1]), Prompt([(100, 200)], [0]), Prompt(box=(10, 10, 200, 300)),
        Prompt([(100, 200)], [1], box=(10, 10, 200, 300)), Prompt([(100, 200)], [1], refine=plane),
        Prompt(refine=plane),
    ]  # fmt: skip
    answers = [decoder.answer(embedding, prompt, size=SIZE).low_res.tobytes() for prompt in prompts]
    assert len(set(answers)) == len(answers)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        (Prompt(), "prompt_missing"),
        (Prompt([(1, 1)], []), "labels_invalid"),
        (Prompt([(1, 1)], [2]), "labels_invalid"),
        (Prompt([(301, 1)], [1]), "points_invalid"),
        (Prompt([(float("nan"), 1)], [1]), "points_invalid"),
        (Prompt([(1, 1)] * 101, [1] * 101), "points_invalid"),
        (Prompt(box=(5, 5, 5, 9)), "boxes_invalid"),
        (Prompt(box=(5, 5, float("nan"), 9)), "boxes_invalid"),
        (Prompt(box=(5, 5, 9, 999)), "points_invalid"),
        (Prompt(refine=np.zeros((255, 256))), "mask_input_invalid"),
        (Prompt(refine=np.full((256, 256), np.inf)), "mask_input_invalid"),
    ],
)
def test_what_is_no_prompt_is_refused(decoder: OnnxDecoder, embedding: np.ndarray, prompt: Prompt, code: str) -> None:
    with pytest.raises(InputError) as refused:
        decoder.answer(embedding, prompt, size=SIZE)
    assert refused.value.code == code


def test_a_file_that_onnxruntime_can_not_open_is_the_operators_trouble() -> None:
    with pytest.raises(WeightsError) as refused:
        OnnxDecoder(b"no model")
    assert refused.value.code == "weights_damaged"


def test_embedding_and_decoding_load_neither_torch_nor_opencv() -> None:
    program = """
import sys
import numpy as np
from PIL import Image
from studio.segmentation.bundled import bundled
from studio.segmentation.embedders import bring_up
from studio.segmentation.onnx_decode import OnnxDecoder, Prompt
found = bring_up("sam_mini", device=None).embed(Image.new("RGB", (64, 64)))
OnnxDecoder(bundled().read("decoder.onnx")).answer(found, Prompt([(1, 1)], [1]), size=(64, 64))
print(*(name for name in ("torch", "cv2", "scipy", "mediapipe", "onnx") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
