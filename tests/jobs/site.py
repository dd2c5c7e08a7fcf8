"""Settings of a real installation with the test app, for the processes that the chaos tests start; hurried."""

from __future__ import annotations

import os

os.environ.setdefault("IMODEL_SECRET_KEY", "for-tests-only-" + "x" * 40)
os.environ.setdefault("IMODEL_HOSTS", "testserver,localhost")
os.environ.setdefault("IMODEL_SITE_URL", "http://testserver")
os.environ.setdefault("IMODEL_HTTPS", "0")
os.environ.setdefault("IMODEL_LOG", "plain")

from imodel_site.settings import *  # noqa: F403
from imodel_site.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs.app"]
if os.environ.get("JOBS_HURRY", "1") == "1":
    JOB_PACE = {
        "lease": 3.0,
        "heartbeat": 0.8,
        "sweep": 0.4,
        "look": 0.1,
        "hold_on": 3.0,
        "delays": (0.3, 1.0),
        "no_room": 0.3,
        "probe": 1.0,
        "deaf": 3.0,
        "longest_wait": 0.5,
        "start": 30.0,
        "ping": 2.0,
    }
