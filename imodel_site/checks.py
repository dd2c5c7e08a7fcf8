"""System checks."""

from imodel_site import islands as _islands  # noqa: F401
from imodel_site.lib.jobs import checks as _jobs  # noqa: F401  importing registers them
