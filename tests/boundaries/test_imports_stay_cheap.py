"""Importing the studio's front doors must not load the tensor side: a web process does it at every start."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "diffusers", "transformers", "mediapipe", "peft", "accelerate", "jax")
DOORS = (
    "studio",
    "studio.cli.main",
    "studio.dataset.captions",
    "studio.dataset.inspecting",
    "studio.dataset.preflight",
    "studio.errors",
    "studio.fidelity",
    "studio.files",
    "studio.images",
    "studio.pose",
    "studio.pose.types",
    "studio.provenance",
    "studio.serve.client",
    "studio.serve.server",
    "studio.shoot.presets",
    "studio.shoot.types",
    "studio.weights",
)


def heavy_after(statement: str) -> list[str]:
    """Which of HEAVY a fresh interpreter holds after ``statement``."""
    program = f"import sys\n{statement}\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("door", DOORS)
def test_a_front_door_leaves_the_tensor_libraries_alone(door: str) -> None:
    assert heavy_after(f"import {door}") == []


def test_the_probe_itself_sees_a_heavy_import() -> None:
    assert "mediapipe" in heavy_after("import types; sys.modules['mediapipe'] = types.ModuleType('mediapipe')")


def test_help_for_every_subcommand_needs_no_tensor_library() -> None:
    statement = "from studio.cli.main import build_parser\nbuild_parser().format_help()"
    assert heavy_after(statement) == []
