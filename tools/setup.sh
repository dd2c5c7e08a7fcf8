#!/usr/bin/env bash
# Set up a virtual environment with everything the studio and its tests need; safe to run again at any point.
#   tools/setup.sh .venv
# PYTHON names another interpreter; TORCH_INDEX another place for torch, e.g. https://download.pytorch.org/whl/cpu
# where PyPI's own torch would bring CUDA along.
set -euo pipefail
venv=${1:?usage: tools/setup.sh VENV}
here=$(cd "$(dirname "$0")" && pwd)

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }

python=""
for candidate in ${PYTHON:-} python3.11 python3 python; do
  if usable "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
  echo "Python 3.11 with venv is needed (Debian 12: apt-get install python3.11-venv); name another with PYTHON=..." >&2
  exit 1
fi

"$python" "$here/system_libraries.py"
[ -x "$venv/bin/python" ] && usable "$venv/bin/python" || "$python" -m venv "$venv"

pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$@"; }
cd "$here/.."
# torch first and by itself: left to the resolver, another package's open-ended torch could pull in the CUDA build.
pip torch==2.13.0 ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"}
pip --editable '.[web,worker,dev,frontend]'
