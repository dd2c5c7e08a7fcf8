"""Fields of the API's bodies that are as strict as the schema says."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Text(serializers.CharField):
    """A string. DRF's own takes numbers as well, and ``"sku": 0`` is more often a mistake than an SKU."""

    def to_internal_value(self, data: Any) -> str:
        """The string, trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class YesNo(serializers.BooleanField):
    """true or false; DRF's own takes 0, "off" and some more. Not for forms, which know strings only."""

    def to_internal_value(self, data: Any) -> bool:
        """As it was sent."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
