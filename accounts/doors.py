"""Addresses where programs knock with a key: the REST API, and the surfaces that speak other people's wire formats."""

from __future__ import annotations

API = "/api/"
SURFACES = ("/sdapi/", "/controlnet/", "/internal/", "/sam/")  # docs/surfaces.md
KEYED = (API, *SURFACES)
FASHN = "/v1/"  # lets its callers in by itself (generation/surfaces/fashn/door.py)
KEYS_ONLY = (*SURFACES, FASHN)  # a session opens nothing there
