"""CSV on its way out, written while it is sent, in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# Without it a spreadsheet takes the file for its own old encoding.
MARK = "\ufeff"


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


def csv_stream(rows: Iterable[Sequence[Any]], *, mark: str = MARK) -> Iterator[bytes]:
    """Rows as lines of UTF-8, one at a time; texts are guarded, numbers stay numbers.

    Args:
        mark: what the file begins with; empty for programs that would take it for a part of the first heading.
    """
    line = io.StringIO()
    writer = csv.writer(line)
    line.write(mark)
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()
