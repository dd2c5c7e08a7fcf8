"""Is everything there that the product needs? Asked by `manage.py doctor` and, the cheap part, by /readyz."""
