"""The last step before storage: a finished picture as a labelled file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image

from studio.provenance import Format, label
from studio.shoot.types import Shot

PRODUCER = "iModel studio"


def finished(shot: Shot, format: Format, *, kept: bool) -> bytes:
    """The labelled file of a shot; ``kept``: some of its pixels are the photo's own."""
    return labelled(shot.image, shot.recipe, format, kept=kept)


def labelled(image: Image.Image, recipe: Mapping[str, Any], format: Format, *, kept: bool, quality: int = 92) -> bytes:
    """Any variant of a picture (a smaller one, a sheet), labelled as the picture of that recipe."""
    return label(
        image, format=format, composite=kept, producer=PRODUCER, content_id=content_id(recipe), quality=quality
    )


def content_id(recipe: Mapping[str, Any]) -> str:
    """The recipe's hash: equal recipes make equal pictures."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:32]
