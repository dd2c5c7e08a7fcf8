"""Everything of a merchant in one archive (docs/exports.md): its rows, its files under names that people can read."""
