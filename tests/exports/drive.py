"""A process of its own that deletes merchants or packs an archive, saying each step: for being killed in between.

python -m tests.exports.drive delete|export
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    django.setup()
    {"delete": delete, "export": export}[sys.argv[1]]()
    print("done", flush=True)


def say_each(owner: Any, name: str) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def told(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        print("step", flush=True)
        time.sleep(0.005)
        return result

    setattr(owner, name, told)


def delete() -> None:
    from accounts.services import closing, leftovers
    from imodel_site.lib import storage

    closing.AT_ONCE = 1  # type: ignore[misc]
    say_each(closing, "_delete_some")
    say_each(leftovers, "forget")
    say_each(storage.PrivateFiles, "_tidy")
    closing.delete_due()


def export() -> None:
    from imodel_site.lib import archive
    from tests.exports.filling import work_it_off

    archive.COMMIT_BYTES = 1  # type: ignore[misc]
    say_each(archive.Archive, "add")
    work_it_off()


if __name__ == "__main__":
    main()
