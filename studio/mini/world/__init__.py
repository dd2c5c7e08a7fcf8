"""A procedural world of dressed figures, drawn by us: the training data of ``mini`` and the demo catalog.

``draw(spec, size=...)`` renders one :class:`~studio.mini.world.spec.Spec` with its exact garment masks, landmarks and
caption.
"""

from studio.mini.world.draw import Drawing, draw
from studio.mini.world.spec import Garment, Person, Spec, random_spec

__all__ = ["Drawing", "Garment", "Person", "Spec", "draw", "random_spec"]
