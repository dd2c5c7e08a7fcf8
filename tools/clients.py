"""Write the typed clients' generated parts (kit/README.md) from the API's schema.

python -m tools.clients [folder]      imodel_client and schema.d.ts, in kit/ unless another folder is named
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "kit"
TYPES = ROOT / "frontend" / "src" / "shared" / "schema.d.ts"  # `make api-types` keeps it in step with the API


def schema() -> bytes:
    """Today's schema as JSON."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    import imodel_site.urls  # noqa: F401  # the apps register their viewsets
    from imodel_site.schema import schema_text

    return schema_text("json")


def python_client(text: bytes, folder: Path) -> None:
    """``imodel_client`` below a folder, in the place of an older one."""
    with tempfile.TemporaryDirectory() as work:
        given = Path(work, "schema.json")
        given.write_bytes(text)
        command = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--path", str(given)]
        command += ["--meta", "none", "--output-path", str(folder / "imodel_client"), "--overwrite"]
        subprocess.run(command, check=True, cwd=work, stdout=subprocess.DEVNULL)


def main() -> None:
    """Command line."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else CLIENTS
    for name in ("python", "typescript"):
        (target / name).mkdir(parents=True, exist_ok=True)
    python_client(schema(), target / "python")
    shutil.copyfile(TYPES, target / "typescript" / "schema.d.ts")


if __name__ == "__main__":
    main()
