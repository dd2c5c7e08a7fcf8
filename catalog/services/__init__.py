"""Every business event of the catalog, one module per noun."""
