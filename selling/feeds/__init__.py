"""Feeds out: what stands in a shop, as the shop's own programs read it (docs/selling.md)."""
