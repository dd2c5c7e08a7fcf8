"""Reading a JSON object field by field: each of its type, none left over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from studio.errors import InputError

Default = TypeVar("Default")
REQUIRED: Any = object()


class Fields:
    """The fields of one object; a refusal is an InputError ``<noun>_<field>_invalid``, or ``<noun>_field_unknown``.

    A default stands for a field that is not there; a field that is there must be of its type, and ``null`` is only
    where the default is None.
    """

    def __init__(self, noun: str, values: object) -> None:
        """``noun``: what the object is called in codes and messages."""
        self.noun = noun
        if not isinstance(values, Mapping):
            raise InputError(f"{noun}_invalid", f"The {noun} must be an object.")
        self._left = dict(values)

    def finish(self) -> None:
        """Refuse whatever was not read."""
        if self._left:
            names = ", ".join(str(name)[:40] for name in self._left)
            raise InputError(f"{self.noun}_field_unknown", f"The {self.noun} has no field {names}.")

    def any(self, name: str, default: object = REQUIRED) -> Any:
        """The value as it is."""
        if name not in self._left:
            if default is REQUIRED:
                self.refuse(name, "is missing")
            return default
        return self._left.pop(name)

    def text(self, name: str, default: Default = REQUIRED) -> str | Default:
        """Any text."""
        value: str | Default = self.any(name, default)
        return value if self._absent(value, default) or isinstance(value, str) else self.refuse(name, "must be text")

    def whole(self, name: str, default: Default = REQUIRED) -> int | Default:
        """A whole number; True is none."""
        value: int | Default = self.any(name, default)
        fits = self._absent(value, default) or (isinstance(value, int) and not isinstance(value, bool))
        return value if fits else self.refuse(name, "must be a whole number")

    def number(self, name: str, default: Default = REQUIRED) -> float | Default:
        """A finite number."""
        value: float | Default = self.any(name, default)
        return value if self._absent(value, default) or is_number(value) else self.refuse(name, "must be a number")

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.any(name, default)
        return value if isinstance(value, bool) else self.refuse(name, "must be true or false")

    def path(self, name: str, default: Default = REQUIRED) -> Path | Default:
        """An absolute path."""
        value = self.any(name, default)
        if self._absent(value, default):
            return value  # type: ignore[no-any-return]  # it is the default
        return absolute(self, name, value)

    def pair(self, name: str, default: tuple[int, int]) -> tuple[int, int]:
        """Two whole numbers."""
        value = self.any(name, default)
        if not (isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int for v in value)):
            self.refuse(name, "must be [width, height]")
        return value[0], value[1]

    def items(self, name: str) -> list[Any]:
        """A list, empty by default."""
        value = self.any(name, [])
        return value if isinstance(value, list) else self.refuse(name, "must be a list")

    def refuse(self, name: str, why: str) -> NoReturn:
        """Raise for a field of this object."""
        raise InputError(f"{self.noun}_{name}_invalid", f"The {self.noun}'s {name} {why}.")

    @staticmethod
    def _absent(value: object, default: object) -> bool:
        return value is None and default is None


def absolute(fields: Fields, name: str, value: object) -> Path:
    """A value as an absolute path; else the field ``name`` is refused."""
    if not (isinstance(value, str) and value.startswith("/") and "\0" not in value):
        fields.refuse(name, "must be an absolute path")
    return Path(value)


def is_number(value: object) -> bool:
    """A finite number; True is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
