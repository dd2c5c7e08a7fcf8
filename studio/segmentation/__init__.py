"""Which pixels are the garment: masks and their arithmetic, proposals with nothing to click, and SAM.

``masks`` and ``proposals`` never import torch; ``sam`` does, so import it only where it is used.
"""
