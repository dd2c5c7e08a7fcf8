"""Out of memory: a clear error, what the job took is freed, and the next job runs."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.memory import guarded, is_out_of_memory
from studio.diffusion.types import Generate
from studio.errors import OutOfMemory

REQUEST = Generate("a coat", seed=1, steps=4, sampler="DDIM")
HUGE = 2**60


def test_a_real_failed_allocation_in_the_middle_is_freed_and_the_next_job_runs(engine: DiffusersEngine) -> None:
    before = engine.generate(REQUEST)
    taken: list[weakref.ref[torch.Tensor]] = []

    def greedy(module: Any, args: Any) -> None:
        activation = torch.empty(1_000_000)
        taken.append(weakref.ref(activation))
        torch.empty(HUGE, dtype=torch.uint8)

    hook = engine.parts["unet"].mid_block.register_forward_pre_hook(greedy)
    try:
        with pytest.raises(OutOfMemory) as caught:
            engine.generate(REQUEST)
        assert (caught.value.code, caught.value.retryable) == ("out_of_memory", True)
        assert caught.value.__cause__ is None and caught.value.__context__ is None
        assert [one() for one in taken] == [None]
    finally:
        hook.remove()
    assert engine.generate(REQUEST).images[0].tobytes() == before.images[0].tobytes()


def test_what_counts_as_out_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(HUGE, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_another_error_passes_through() -> None:
    def fail() -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        guarded(fail, advice="advice")


CHILD = """
import resource, sys
from pathlib import Path
from bench.random_families import write_family
from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.types import Generate
from studio.errors import OutOfMemory
engine = DiffusersEngine(write_family(Path(sys.argv[1]), "tiny"), device="cpu")
small = Generate("a coat", seed=1, steps=2, sampler="DDIM")
before = engine.generate(small).images[0].tobytes()
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    engine.generate(Generate("a coat", seed=1, steps=2, sampler="DDIM", width=2048, height=2048, batch_size=8))
except OutOfMemory as error:
    print(error.code)
print(engine.generate(small).images[0].tobytes() == before)
"""


@pytest.mark.skipif(not hasattr(gc, "freeze") or not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_job_larger_than_the_machine_allows(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["out_of_memory", "True"], done.stderr[-2000:]
