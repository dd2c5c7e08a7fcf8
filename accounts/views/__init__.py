"""Pages of the shop: itself, its people, its keys."""
