"""What a web process imports holds no tensor library, and no module that only a worker may have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "diffusers", "transformers", "peft", "accelerate", "mediapipe", "cv2", "jax", "scipy", "skimage")
WORKERS_ONLY = ("accounts.tasks", "catalog.tasks", "generation.tasks", "training.tasks", "imodel_site.worker")
PROGRAM = """
import sys
import django
django.setup()
from django.urls import get_resolver
import imodel_site.urls, imodel_site.wsgi
def walk(patterns):
    for entry in patterns:
        if hasattr(entry, "url_patterns"):
            walk(entry.url_patterns)
        else:
            entry.callback  # resolves views that are named by a string
walk(get_resolver().url_patterns)
{more}
print(*(name for name in {names!r} if name in sys.modules))
"""


def loaded(names: tuple[str, ...], tmp_path: Path, more: str = "") -> list[str]:
    """Which of ``names`` a web process holds."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IMODEL_")},
        "DJANGO_SETTINGS_MODULE": "imodel_site.settings",
        "IMODEL_DATA": str(tmp_path),
        "IMODEL_SECRET_KEY": "for-tests-only-" + "x1y2z" * 10,
        "IMODEL_HOSTS": "localhost",
    }
    program = PROGRAM.format(names=names, more=more)
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_no_tensor_library_is_loaded(tmp_path: Path) -> None:
    assert loaded(HEAVY, tmp_path) == []


def test_no_task_is_loaded(tmp_path: Path) -> None:
    assert loaded(WORKERS_ONLY, tmp_path) == []


@pytest.mark.parametrize("module", ["torch", "generation.tasks"])
def test_the_probe_itself_sees_what_it_looks_for(tmp_path: Path, module: str) -> None:
    plant = f"import types; sys.modules[{module!r}] = types.ModuleType({module!r})"
    assert loaded((*HEAVY, *WORKERS_ONLY), tmp_path, plant) == [module]


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
from studio.shoot import by_hand
rows, size = by_hand.standing((300, 500)), (300, 500)
assert len(by_hand.placed("contrapposto", rows, size, mirror=True, keep_trunk=False)) == 33
assert by_hand.control_png(rows, size, crop="head-to-toe", shown=(200, 300)).startswith(b"\\x89PNG")
assert by_hand.layer_png(rows, size, side=400).startswith(b"\\x89PNG")
"""


def test_a_web_machine_draws_skeletons_without_what_only_workers_have() -> None:
    names = (*HEAVY, "safetensors", "onnx")
    done = subprocess.run([sys.executable, "-c", BLOCKED.format(names=names)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
