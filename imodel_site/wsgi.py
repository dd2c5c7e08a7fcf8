"""What the web server calls (docs/decisions/0005: WSGI, and progress by polling)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imodel_site.settings")
application = get_wsgi_application()

from imodel_site.metrics import sharing  # noqa: E402  it reads the settings

sharing.share("web")
