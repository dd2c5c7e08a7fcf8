"""How dates are written, one way for each language (settings.FORMAT_MODULE_PATH)."""
