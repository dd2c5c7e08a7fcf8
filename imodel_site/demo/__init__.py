"""The demo merchant of an installation that was just cloned: a person, a catalog, and a first shoot."""
