"""Print the path of a photo that is already on this machine: NASA's portrait of Eileen Collins (public domain).

It comes inside scikit-image's wheel, so that ``make run`` needs no download.
"""

from __future__ import annotations

from pathlib import Path

import skimage

print(Path(skimage.__file__).parent / "data" / "astronaut.png")
