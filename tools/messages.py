"""The texts people see, in Chinese as well, without the gettext programs.

.venv/bin/python -m tools.messages extract    collect the texts of templates and code into locale/zh_Hans/.../django.po
.venv/bin/python -m tools.messages compile    django.po -> django.mo, which Django reads; both are committed
.venv/bin/python -m tools.messages check      fails when Chinese is missing, a placeholder is lost, a file is stale
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
APPS = ("imodel_site", "accounts", "catalog", "training", "generation", "selling")
LOCALE = "zh_Hans"
PO = ROOT / "locale" / LOCALE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "lazy": None,
    "ngettext_noop": (1, 2),
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
SAME_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # a date that moves would change the file at each extraction
NOT_TRANSLATED = {"templates/ui/gallery.html"}  # for ourselves, shown only while DEBUG is on


def _template_source(text: str, name: str) -> str:
    """A template as Python that only calls gettext; indentation would trip the tokenizer and means nothing here."""
    from django.utils.translation.template import templatize

    return "\n".join(line.strip() for line in templatize(text, origin=name).splitlines())


def _sources() -> Iterator[tuple[str, str]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "templates").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".html", ".txt") and name not in NOT_TRANSLATED:
            yield name, _template_source(path.read_text(encoding="utf-8"), name)


def template() -> Catalog:
    """Every text that is marked for translation, with the files it stands in."""
    found = Catalog(locale=None, creation_date=SAME_DAY)
    for name, source in _sources():
        spots = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS, comment_tags=["Translators"])
        for _, message, comments, context in spots:
            flags = ["python-format"] if name.startswith("templates/") and "%(" in str(message) else []
            found.add(message, locations=[(name, 0)], auto_comments=comments, context=context, flags=flags)
    return found


def existing() -> Catalog:
    """What is translated so far."""
    if not PO.is_file():
        return Catalog(locale=LOCALE, creation_date=SAME_DAY, revision_date=SAME_DAY)
    with PO.open("rb") as file:
        return read_po(file, locale=LOCALE)


def updated() -> Catalog:
    """The translations brought to today's texts; a text that is gone goes, none is guessed from a similar one."""
    catalog = existing()
    catalog.update(template(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.creation_date = catalog.revision_date = SAME_DAY
    catalog.project, catalog.version = "iModel", "1"
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    catalog.header_comment = (
        "# Simplified Chinese of iModel. Write it here; `python -m tools.messages extract` keeps it in step."
    )
    catalog.fuzzy = False
    return catalog


def _po_bytes(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalog, width=110, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def _mo_bytes(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def extract_all() -> None:
    """Rewrite the .po file."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    catalog = updated()
    PO.write_bytes(_po_bytes(catalog))
    todo = sum(1 for message in catalog if message.id and not _done(message))
    print(f"{PO.relative_to(ROOT)}: {len(catalog)} texts, {todo} without Chinese")


def compile_all() -> None:
    """Rewrite the .mo file."""
    MO.write_bytes(_mo_bytes(existing()))


def _done(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(strings) and all(strings) and not message.fuzzy


def problems() -> list[str]:
    """What is wrong, one line each; nothing when all is well."""
    catalog = updated()
    found = [f"no Chinese: {message.id!r}" for message in catalog if message.id and not _done(message)]
    for message, errors in catalog.check():
        found += [f"{message.id!r}: {error}" for error in errors]
    if not PO.is_file() or PO.read_bytes() != _po_bytes(catalog):
        found.append(f"{PO.relative_to(ROOT)} is not what the code says: python -m tools.messages extract")
    if not MO.is_file() or MO.read_bytes() != _mo_bytes(existing()):
        found.append(f"{MO.relative_to(ROOT)} is stale: python -m tools.messages compile")
    return found


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["extract", "compile", "check"])
    do = parser.parse_args().do
    os.chdir(ROOT)
    if do == "extract":
        extract_all()
    elif do == "compile":
        compile_all()
    else:
        wrong = problems()
        print("\n".join(wrong) or "Every text has its Chinese.")
        return 1 if wrong else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
