"""Images per second of sd15 and sdxl at full size: batch 1 to 8, eager, channels_last, compiled, CUDA graphs.

    python -m bench.engine_gpu [--families sd15 sdxl] [--batches 1 2 4 8] [--ways eager channels_last compile graphs]
    python -m bench.engine_gpu --tiny --device cpu       # does the code run? the figures mean nothing; compiling on a
                                                         # CPU takes minutes, --ways eager channels_last seconds

Seeded random weights: time does not depend on their values. Inpainting with the pose ControlNet on, guidance on, the
whole of ``generate`` timed (encode, steps, decode), after warming up; peak memory as torch counts it. It needs CUDA;
without, it says so and leaves with 0. Bounds to compare with are in docs/engines.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.random_families import SHAPES, write_family
from studio.diffusion.machine import quiet

WAYS = ("eager", "channels_last", "compile", "graphs")


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    families: tuple[str, ...]
    batches: tuple[int, ...]
    ways: tuple[str, ...]
    steps: int | None
    rounds: int
    device: str
    dtype: str


def main() -> None:
    plan = parse()
    import torch

    if plan.device.startswith("cuda") and not torch.cuda.is_available():
        print("bench.engine_gpu needs a CUDA device and there is none here: nothing was measured.")
        sys.exit(0)
    print(f"{device_title(plan.device)}, {plan.dtype}, torch {torch.__version__}")
    columns = ("family", 8), ("size", 9), ("steps", 5), ("way", 14), ("batch", 5), ("s/job", 7), ("img/s", 7)
    print(" ".join(f"{name:>{width}}" for name, width in (*columns, ("ms/step", 8), ("GB", 5))))
    for name in plan.families:
        with tempfile.TemporaryDirectory() as folder, quiet():
            files = write_family(Path(folder) / name, name, dtype=getattr(torch, plan.dtype))
            for way in plan.ways:
                measure_way(files, way, plan)


def parse() -> Plan:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=["sd15", "sdxl"], choices=list(SHAPES))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--steps", type=int, default=None, help="the family's own when left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default=None, help="float16 on CUDA, float32 on a CPU")
    parser.add_argument("--tiny", action="store_true", help="families of a thousandth the size, batches 1 and 2")
    options = parser.parse_args()
    dtype = options.dtype or ("float16" if options.device.startswith("cuda") else "float32")
    families, batches = (["tiny", "tiny_xl"], [1, 2]) if options.tiny else (options.families, options.batches)
    return Plan(
        tuple(families), tuple(batches), tuple(options.ways), options.steps, options.rounds, options.device, dtype
    )


def measure_way(files: Any, way: str, plan: Plan) -> None:
    """Every batch size in one way of running; prints as it goes."""
    import torch

    from studio.diffusion.engine import DiffusersEngine
    from studio.errors import OutOfMemory

    if way == "graphs" and not plan.device.startswith("cuda"):
        print(f"{files.name:8} graphs: left out, CUDA only", flush=True)
        return
    engine = DiffusersEngine(files, device=plan.device, dtype=plan.dtype)
    prepare(engine, way)
    for batch in plan.batches:
        try:
            print(line(engine, files, way, batch, plan), flush=True)
        except OutOfMemory:
            print(f"{files.name:8} {way} batch {batch}: out of memory", flush=True)
    engine.close()
    torch._dynamo.reset()


def prepare(engine: Any, way: str) -> None:
    """Change how the heavy modules run. ``forward`` is replaced, so that diffusers still sees its own classes."""
    import torch

    heavy = [engine.parts[name] for name in ("unet", "controlnet", "vae")]
    if way in ("channels_last", "compile", "graphs"):
        for module in heavy:
            module.to(memory_format=torch.channels_last)
    if way in ("compile", "graphs"):
        mode = "reduce-overhead" if way == "graphs" else "default"
        for module in heavy[:2]:
            module.forward = marked(torch.compile(module.forward, mode=mode, fullgraph=False), copy=way == "graphs")


def marked(forward: Any, *, copy: bool) -> Any:
    """A compiled forward; its outputs are copied where the next replay of a CUDA graph would overwrite them."""
    import torch

    def call(*args: Any, **kwargs: Any) -> Any:
        if not copy:
            return forward(*args, **kwargs)
        torch.compiler.cudagraph_mark_step_begin()
        return cloned(forward(*args, **kwargs))

    return call


def cloned(value: Any) -> Any:
    """Tensors in tuples and lists, copied."""
    if isinstance(value, tuple | list):
        return type(value)(cloned(one) for one in value)
    return value.clone() if hasattr(value, "clone") else value


def line(engine: Any, files: Any, way: str, batch: int, plan: Plan) -> str:
    """Warm up, then the median of the rounds."""
    import torch

    request = job(files, batch, plan.steps)
    for _ in range(2):
        engine.generate(request)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    seconds, steps = [], []
    for _ in range(plan.rounds):
        started = time.perf_counter()
        result = engine.generate(request)
        seconds.append(time.perf_counter() - started)
        steps.append(result.timings["steps"])
    middle = sorted(seconds)[len(seconds) // 2]
    a_step = sorted(steps)[len(steps) // 2] / request.steps * 1000
    gigabytes = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0
    size = f"{request.width}x{request.height}"
    return (
        f"{files.name:>8} {size:>9} {request.steps:5} {way:>14} {batch:5} {middle:7.3f} {batch / middle:7.2f} "
        f"{a_step:8.1f} {gigabytes:5.1f}"
    )


def job(files: Any, batch: int, steps: int | None) -> Any:
    """Inpainting half of a picture with a skeleton, as a shoot does."""
    import numpy as np
    from PIL import Image

    from studio.diffusion.types import Control, Generate

    defaults = files.defaults
    size = (defaults.width, defaults.height)
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    mask = Image.new("L", size, 255)
    mask.paste(0, (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    return Generate(
        "a model in a red coat, studio light", "blurry", seed=1, batch_size=batch, steps=steps or defaults.steps,
        guidance_scale=7.0, sampler="DPM++ 2M Karras", width=size[0], height=size[1], image=photo, mask=mask,
        controls=(Control(photo),),
    )  # fmt: skip


def device_title(device: str) -> str:
    """What it was measured on."""
    import torch

    return (
        torch.cuda.get_device_name(device) if device.startswith("cuda") else f"CPU, {torch.get_num_threads()} threads"
    )


if __name__ == "__main__":
    main()
