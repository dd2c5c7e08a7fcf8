"""A mypy plugin: the members of Django's TextChoices are members, not the tuples they are written as.

Django carries no types, so without this `Status.QUEUED` would be a `tuple[str, Any]`.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import TypeInfo
from mypy.plugin import AttributeContext, Plugin
from mypy.types import AnyType, Instance, TupleType, Type, get_proper_type


class Choices(Plugin):
    """Turns the tuple into an instance of the class itself.

    The bases can not be asked: they are Any, and mypy's cache forgets how they were written. But a constant of value
    and (untyped, translated) label, in capitals, in a class with an unknown base, is nothing else here.
    """

    def get_class_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """mypy's hook for `Class.attribute`."""
        owner, _, name = fullname.rpartition(".")
        symbol = self.lookup_fully_qualified(owner)
        if symbol is None or not isinstance(symbol.node, TypeInfo) or not symbol.node.fallback_to_any:
            return None
        info = symbol.node
        return (lambda context: _member(info, context.default_attr_type)) if name.isupper() else None


def _member(info: TypeInfo, written: Type) -> Type:
    found = get_proper_type(written)
    if isinstance(found, TupleType) and len(found.items) == 2 and isinstance(get_proper_type(found.items[1]), AnyType):
        return Instance(info, [])
    return written


def plugin(version: str) -> type[Plugin]:
    """mypy's entry."""
    return Choices
