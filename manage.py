#!/usr/bin/env python
"""Django's command line: `manage.py up` starts everything, `manage.py doctor` says what is wrong."""

import os
import sys


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imodel_site.settings")
    from imodel_site import embedded

    embedded.apply(os.environ, create=sys.argv[1:2] == ["up"])
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
