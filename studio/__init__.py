"""The photo studio: everything that touches pixels and tensors, and nothing of Django or of tenants.

Frozen dataclasses, PIL images, numpy arrays and paths go in; the same come out. ``python -m studio --help``
runs it alone. Importing ``studio`` is cheap: torch, diffusers and mediapipe are imported by the functions
that need them.
"""

__version__ = "0.1.0"
