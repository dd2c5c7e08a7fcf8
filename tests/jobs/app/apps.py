"""The test app."""

from django.apps import AppConfig


class JobsTestConfig(AppConfig):
    """Known as ``jobs_test``."""

    name = "tests.jobs.app"
    label = "jobs_test"
    default_auto_field = "django.db.models.BigAutoField"
