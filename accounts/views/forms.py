"""A service's refusal goes beside the field that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms

from imodel_site.lib.errors import Refused


def attempt(form: forms.Form, service: Callable[[], Any]) -> Any:
    """The service's result; None when the form or the service refused, and then the form says why."""
    if not form.is_valid():
        return None
    try:
        return service()
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
        return None
