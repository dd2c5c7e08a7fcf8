from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from studio.errors import InputError
from studio.segmentation import sam_weights
from studio.segmentation.sam import Sam
from studio.segmentation.torchvision_names import segment_anything

# The same classes with a two-block encoder: everything but the depth is as in the published sizes.
TINY = sam_weights.Architecture(width=32, depth=2, heads=2, global_attention=(1,))


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut()[:400])


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(5)
    return sam_weights.build(TINY)


@pytest.fixture(scope="module")
def sam(model: torch.nn.Module) -> Sam:
    return Sam(model)


@pytest.fixture(scope="module")
def embedding(sam: Sam, photo: Image.Image) -> np.ndarray:
    return sam.embed(photo)


@pytest.fixture(scope="module")
def predictor(model: torch.nn.Module, photo: Image.Image) -> Any:
    predictor = segment_anything().SamPredictor(model)
    predictor.set_image(np.asarray(photo))
    return predictor


def test_the_embedding_is_the_predictors(embedding: np.ndarray, predictor: Any) -> None:
    assert (embedding.shape, embedding.dtype) == ((1, 256, 64, 64), np.float32)
    np.testing.assert_array_equal(embedding, predictor.get_image_embedding().numpy())


@pytest.mark.parametrize("multimask", [True, False])
@pytest.mark.parametrize("kind", ["points", "box", "both", "refine"])
def test_masks_scores_and_logits_equal_the_predictors(
    sam: Sam, embedding: np.ndarray, predictor: Any, photo: Image.Image, kind: str, multimask: bool
) -> None:
    points, labels, box = (
        np.array([[200.0, 300.0], [30.0, 12.5]]),
        np.array([1, 0]),
        np.array([50.0, 20.0, 400.0, 390.0]),
    )
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    if kind != "box":
        ours |= {"points": points, "labels": labels}
        theirs |= {"point_coords": points, "point_labels": labels}
    if kind in ("box", "both"):
        ours["boxes"] = theirs["box"] = box
    if kind == "refine":
        earlier = sam.predict(embedding, size=photo.size, points=points, labels=labels).low_res[:1]
        ours["mask_input"] = theirs["mask_input"] = earlier
    answer = sam.predict(embedding, size=photo.size, multimask=multimask, **ours)
    masks, scores, low_res = predictor.predict(multimask_output=multimask, **theirs)
    assert answer.masks.shape == ((3 if multimask else 1), 400, 512)
    assert answer.masks.dtype == np.bool_
    np.testing.assert_array_equal(answer.masks, masks)
    np.testing.assert_array_equal(answer.scores, scores)
    np.testing.assert_array_equal(answer.low_res, low_res)


def test_two_boxes_are_answered_as_each_alone(sam: Sam, embedding: np.ndarray, photo: Image.Image) -> None:
    boxes = [[10, 10, 200, 200], [150, 100, 500, 390]]
    both = sam.predict(embedding, size=photo.size, boxes=boxes)
    alone = [sam.predict(embedding, size=photo.size, boxes=box) for box in boxes]
    assert both.masks.shape == (6, 400, 512)
    np.testing.assert_allclose(both.low_res, np.concatenate([a.low_res for a in alone]), atol=1e-4)


def test_an_embedding_stored_as_float16_changes_hardly_a_pixel(
    sam: Sam, embedding: np.ndarray, photo: Image.Image
) -> None:
    full = sam.predict(embedding, size=photo.size, points=[[200, 300]])
    half = sam.predict(embedding.astype(np.float16), size=photo.size, points=[[200, 300]])
    assert (full.masks != half.masks).mean() < 0.01
    np.testing.assert_allclose(half.low_res, full.low_res, atol=0.02)


def test_the_best_mask_is_the_one_with_the_highest_score(sam: Sam, embedding: np.ndarray, photo: Image.Image) -> None:
    answer = sam.predict(embedding, size=photo.size, points=[[200, 300]])
    np.testing.assert_array_equal(
        answer.best(), answer.masks[answer.scores.tolist().index(max(answer.scores.tolist()))]
    )


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ({}, "prompt_missing"),
        ({"points": [[float("nan"), 3]]}, "points_invalid"),
        ({"points": [[513, 3]]}, "points_invalid"),
        ({"points": [[3, 401]]}, "points_invalid"),
        ({"points": [[-0.5, 3]]}, "points_invalid"),
        ({"points": [1, 2, 3]}, "points_invalid"),
        ({"points": []}, "points_invalid"),
        ({"points": [[1, 2], [3]]}, "points_invalid"),
        ({"points": [[1, 2]], "labels": [1, 0]}, "labels_invalid"),
        ({"points": [[1, 2]], "labels": [2]}, "labels_invalid"),
        ({"boxes": [0, 0, 10, 10], "labels": [1]}, "labels_invalid"),
        ({"boxes": [10, 10, 5, 20]}, "boxes_invalid"),
        ({"boxes": [10, 10, 20]}, "boxes_invalid"),
        ({"boxes": [0, 0, 10, float("inf")]}, "boxes_invalid"),
        ({"mask_input": np.zeros((3, 256, 256))}, "mask_input_invalid"),
        ({"mask_input": np.full((256, 256), np.nan)}, "mask_input_invalid"),
    ],
)
def test_a_prompt_that_means_nothing_is_refused(
    sam: Sam, embedding: np.ndarray, photo: Image.Image, prompt: dict[str, Any], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        sam.predict(embedding, size=photo.size, **prompt)
    assert caught.value.code == code


@pytest.mark.parametrize("broken", [np.zeros((256, 64, 64), np.float32), np.zeros((1, 256, 64, 64), np.int8)])
def test_what_is_no_embedding_is_refused(sam: Sam, photo: Image.Image, broken: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        sam.predict(broken, size=photo.size, points=[[1, 1]])
    assert caught.value.code == "embedding_invalid"


def test_an_embedding_with_a_nan_is_refused(sam: Sam, embedding: np.ndarray, photo: Image.Image) -> None:
    spoilt = embedding.copy()
    spoilt[0, 5, 6, 7] = np.nan
    with pytest.raises(InputError) as caught:
        sam.predict(spoilt, size=photo.size, points=[[1, 1]])
    assert caught.value.code == "embedding_invalid"
