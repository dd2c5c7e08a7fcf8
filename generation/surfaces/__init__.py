"""Surfaces that speak other people's wire formats, so that their clients work here unchanged (docs/surfaces.md)."""
