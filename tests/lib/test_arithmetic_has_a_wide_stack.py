"""What needs a deep stack runs on a thread that has one, whatever thread asks for it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from imodel_site.lib.wide_stack import on_wide_stack

# Granian's threads have 2 MiB, of which OpenBLAS and onnxruntime may want more; here a small one, and a deep recursion.
PROGRAM = """
import threading
from imodel_site.lib.wide_stack import on_wide_stack
import ctypes
libc = ctypes.CDLL(None)
def deep():
    buffer = ctypes.create_string_buffer(8)
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def nested(a, b, depth=[0]):
        depth[0] += 1
        if depth[0] < 900:
            array = (ctypes.c_int * 2)(2, 1)
            libc.qsort(array, 2, 4, nested)
        return 0
    libc.qsort((ctypes.c_int * 2)(2, 1), 2, 4, nested)
    return "done"
threading.stack_size(256 * 1024)
found = []
thread = threading.Thread(target=lambda: found.append({call}))
thread.start(); thread.join()
print(found[0])
"""


def ended(call: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


def test_what_ends_the_process_on_a_narrow_stack_is_carried_out_on_a_wide_one() -> None:
    assert ended("deep()")[0] < 0, "killed by a signal: the probe does need the room"
    assert ended("on_wide_stack(deep)") == (0, "done")


def test_what_is_raised_comes_back_and_other_threads_keep_their_size() -> None:
    before = threading.stack_size()
    with pytest.raises(KeyError, match="gone"):
        on_wide_stack(lambda: {}["gone"])
    assert on_wide_stack(lambda: threading.current_thread().name) == "wide-stack"
    assert threading.stack_size() == before
