#!/usr/bin/env bash
# Write constraints.txt from .venv. torch loses its local version (+cpu), so that a GPU build satisfies it too.
set -euo pipefail
cd "$(dirname "$0")/.."
{
  sed -n '/^#/p' constraints.txt
  .venv/bin/pip freeze --exclude-editable | sed 's/^torch==.*/torch==2.13.0/'
} > constraints.new
mv constraints.new constraints.txt
