"""The two real photos: an astronaut and Grace Hopper, both busts."""

from collections.abc import Iterator

import matplotlib.cbook
import numpy as np
import pytest
import skimage.data
from PIL import Image

from studio.pose.complete import complete
from studio.pose.detect import Detection, MediaPipeDetector, find_pose
from studio.pose.frame import Crop, canvas_for
from studio.pose.types import J, JointState

HEAD_AND_SHOULDERS = (J.NOSE, J.LEFT_EYE, J.RIGHT_EYE, J.LEFT_SHOULDER, J.RIGHT_SHOULDER)


def photo(name: str) -> Image.Image:
    if name == "astronaut":
        return Image.fromarray(skimage.data.astronaut())
    return Image.open(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).convert("RGB")


@pytest.fixture(scope="module")
def detector() -> Iterator[MediaPipeDetector]:
    with MediaPipeDetector() as one:
        yield one


def found(detector: MediaPipeDetector, image: Image.Image) -> Detection:
    detection = detector.detect(image)
    assert detection is not None
    return detection


@pytest.mark.parametrize(("name", "shoulders"), [("astronaut", (110, 309)), ("grace", (96, 456))])
def test_a_bust_has_its_shoulders_seen_and_its_legs_invented_below_the_frame(
    detector: MediaPipeDetector, name: str, shoulders: tuple[int, int]
) -> None:
    image = photo(name)
    pose = complete(found(detector, image).pose)
    assert {pose.states[j] for j in HEAD_AND_SHOULDERS} == {JointState.SEEN}
    assert pose.points[J.RIGHT_SHOULDER, 0] == pytest.approx(shoulders[0], abs=25)
    assert pose.points[J.LEFT_SHOULDER, 0] == pytest.approx(shoulders[1], abs=25)
    for j in (J.LEFT_HIP, J.RIGHT_HIP, J.LEFT_ANKLE, J.RIGHT_ANKLE):
        assert pose.states[j] is JointState.INVENTED
    assert pose.points[[J.LEFT_KNEE, J.RIGHT_KNEE], 1].min() > image.height
    assert (np.diff(pose.points[[J.LEFT_HIP, J.LEFT_KNEE, J.LEFT_ANKLE], 1]) > 50).all()


def test_the_canvas_of_a_bust_grows_downward_and_the_more_the_longer_the_crop(detector: MediaPipeDetector) -> None:
    image = photo("grace")
    pose = complete(found(detector, image).pose)
    grown = [canvas_for(pose, crop).bottom for crop in (Crop.WAIST_UP, Crop.KNEE_UP, Crop.HEAD_TO_TOE)]
    assert 150 < grown[0] < grown[1] < grown[2]


def test_the_person_mask_covers_the_face_and_not_the_corner(detector: MediaPipeDetector) -> None:
    image = photo("astronaut")
    detection = found(detector, image)
    mask = detection.person_mask
    assert mask.shape == (image.height, image.width) and mask.dtype == np.float32
    x, y, _ = detection.pose.points[J.NOSE]
    assert mask[int(y), int(x)] > 0.9 and mask[5, 500] < 0.1


def test_of_two_people_the_larger_is_found(detector: MediaPipeDetector) -> None:
    astronaut, hopper = photo("astronaut"), photo("grace")
    for large, small in ((astronaut, hopper), (hopper, astronaut)):
        both = Image.new("RGB", (1000, 620), (120, 130, 140))
        both.paste(large.resize((512, 600)), (0, 20))
        both.paste(small.resize((220, 256)), (720, 364))
        assert found(detector, both).pose.points[J.NOSE, 0] < 512


def test_where_nobody_is_nobody_is_found(detector: MediaPipeDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    for image in (Image.fromarray(noise), Image.new("RGB", (1, 1)), Image.new("RGB", (40, 900), "red")):
        assert find_pose(image, detector) is None


def test_a_large_photo_is_found_in_its_own_pixels(detector: MediaPipeDetector) -> None:
    small, large = found(detector, photo("astronaut")), found(detector, photo("astronaut").resize((2048, 2048)))
    assert large.person_mask.shape == (2048, 2048)
    apart = large.pose.points[list(HEAD_AND_SHOULDERS), :2] / 4 - small.pose.points[list(HEAD_AND_SHOULDERS), :2]
    assert np.abs(apart).max() < 20
