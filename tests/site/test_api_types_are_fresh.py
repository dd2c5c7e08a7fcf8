"""The islands' types of the API are those of the schema as it is now."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(sys.executable).parent / "node"


@pytest.mark.skipif(not NODE.exists() and shutil.which("node") is None, reason="no Node here: make")
def test_schema_d_ts_is_what_the_schema_of_today_gives(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    call_command("spectacular", format="openapi-json", file=str(schema))
    assert json.loads(schema.read_text())["paths"]["/api/v1/batches"]
    command = [sys.executable, "tools/frontend.py", "schema", "--print"]
    done = subprocess.run(command, cwd=ROOT, stdin=schema.open(), capture_output=True, text=True, check=True)
    committed = (ROOT / "frontend" / "src" / "shared" / "schema.d.ts").read_text()
    assert done.stdout[done.stdout.index("/**") :] == committed, "the API changed: make api-types"
