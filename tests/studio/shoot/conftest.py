"""One resident crew for all tests of the room: the bundled engine and MediaPipe, as a worker holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib.cbook
import pytest
import skimage.data
from PIL import Image

from studio.images import open_photo
from studio.mini.world import Garment, Person, Spec, draw
from studio.shoot.flow import shoot
from studio.shoot.run import Crew, bring_up
from studio.shoot.types import Order, Outcome


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """The bundled family, loaded once."""
    with bring_up("mini", device="cpu") as crew:
        yield crew


@pytest.fixture(scope="session")
def hopper() -> Image.Image:
    """A person in a dark jacket, from head to chest: a public-domain photo that comes with matplotlib."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return open_photo(Path(str(path)))


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    """A person in an orange suit, from head to waist: a public-domain photo that comes with scikit-image."""
    return Image.fromarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def mannequin() -> Image.Image:
    """A headless mannequin on a stand in a red coat, drawn."""
    person = Person(skin="white", mannequin=True, stand=True)
    spec = Spec(
        person=person,
        upper=Garment("coat", "red", sleeve="long"),
        lower=Garment("trousers", "navy"),
        scene="grey studio",
    )
    return draw(spec, (400, 600)).picture


def take(crew: Crew, order: Order) -> Outcome:
    """Carry an order out with the crew."""
    return shoot(order, engine=crew.engine, detector=crew.detector, weights=crew.weights)
