"""What the sweep does from time to time besides its own work: apps register here in ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Periodic:
    """``path`` is a dotted function without arguments; it is safe to call twice, and from two machines at once.

    ``everywhere``: each machine calls it, for what lies on its own disk; else whichever comes first.
    """

    name: str
    seconds: float
    path: str
    everywhere: bool = False

    def load(self) -> Callable[[], Any]:
        """The function, imported only where it runs."""
        found: Callable[[], Any] = import_string(self.path)
        return found


_registered: dict[str, Periodic] = {}


def register(name: str, seconds: float, path: str, *, everywhere: bool = False) -> None:
    """Call ``path`` about every ``seconds``; registering a name again replaces it."""
    _registered[name] = Periodic(name, seconds, path, everywhere)


def registered() -> tuple[Periodic, ...]:
    """All of them, by name."""
    return tuple(_registered[name] for name in sorted(_registered))
