"""Keeping the place clean: what an automatic look found, the queue, the decisions (docs/moderation.md)."""
