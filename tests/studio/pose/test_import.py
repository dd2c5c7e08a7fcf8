"""Importing the room costs nothing."""

import subprocess
import sys


def test_importing_the_room_and_its_names_does_not_import_mediapipe() -> None:
    names = "p.complete, p.find_pose, p.fit_to_mask, p.canvas_for"
    script = f"import sys, studio.pose as p; {names}; sys.exit('mediapipe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=120).returncode == 0
