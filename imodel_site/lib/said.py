"""Sentences that a worker writes down and somebody else reads later: kept as they were made, not as they read then.

words = said(gettext_noop("A name has at most %(most)s characters."), most=80)    # a str, for the writer
row.problems = [kept("name_too_long", words)]                                      # JSON
shown(row.problems[0])                                                             # for the reader
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from imodel_site.lib.studio_words import sentence


class Said(str):
    """A sentence in the language of the moment that remembers its text and what stood in it."""

    text: str
    params: dict[str, Any]


def said(text: str, **params: Any) -> Said:
    """``text`` is English, marked with ``gettext_noop`` for the catalogue; ``params`` go into its places."""
    made = Said(gettext(text) % params)
    made.text, made.params = text, params
    return made


def kept(code: str, message: Any) -> dict[str, Any]:
    """For a JSON column. Any other message is kept by its English words, which may have a translation as they are."""
    if isinstance(message, Said):
        return {"code": code, "text": message.text, "params": message.params}
    return {"code": code, "text": str(message), "params": None}


def shown(found: Mapping[str, Any]) -> str:
    """What was kept, in the reader's language."""
    text, params = found["text"], found["params"]
    if params is not None:
        return gettext(text) % params
    return sentence(found["code"], gettext(text))
