"""Batches: many shoots ordered at once."""

from __future__ import annotations

from generation.models import Shoot


def shoot_ended(shoot: Shoot) -> None:
    """A shoot of a batch has ended, in this very transaction."""
