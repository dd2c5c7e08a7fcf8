"""Webhooks out: what happened is written down with what made it happen; the courier carries it (docs/webhooks.md).

``events`` writes, ``endpoints`` and ``replays`` are what a merchant may do; ``turns``, ``sending`` and ``outcomes`` are
the courier's (``imodel_site.worker.courier``), ``notices`` tells owners.
"""

from __future__ import annotations

from accounts.services.webhooks.events import TYPES, emit, emit_many

__all__ = ["TYPES", "emit", "emit_many"]
