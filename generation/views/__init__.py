"""Pages of shoots and pictures."""
