"""The peer of bench/web.py: Django with one JSON view and nothing else, served as the product is."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path


def hello(request: HttpRequest) -> JsonResponse:
    """The least that a page can be."""
    return JsonResponse({"status": "ok"})


urlpatterns = [path("bare", hello)]
if not settings.configured:
    settings.configure(
        SECRET_KEY=os.urandom(32).hex(), ALLOWED_HOSTS=["localhost", "127.0.0.1"], ROOT_URLCONF=__name__, MIDDLEWARE=[]
    )
    django.setup()
application = get_wsgi_application()
