"""Pages of the catalog: garments, their photos, imports, the library."""
