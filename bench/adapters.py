"""How long it takes to change a LoRA: injected anew, hot-swapped by diffusers, copied into the loaded tensors by us.

    python -m bench.adapters [--families tiny mid] [--rank 16] [--rounds 5]

Random weights; the files lie in the page cache. The last column is the change alone, the file already read.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.random_families import SHAPES, write_family
from studio.diffusion.machine import quiet

TARGETS = ("to_q", "to_k", "to_v", "to_out.0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=["tiny", "mid"], choices=list(SHAPES))
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default=None)
    options = parser.parse_args()
    print(f"{'family':8} {'layers':>6} {'MB':>6} | {'inject':>9} {'hotswap':>9} {'in place':>9} {'copy only':>9}  (ms)")
    for name in options.families:
        with tempfile.TemporaryDirectory() as folder, quiet():
            print(row(Path(folder), name, rank=options.rank, rounds=options.rounds, device=options.device), flush=True)


def row(folder: Path, name: str, *, rank: int, rounds: int, device: str | None) -> str:
    """One family's line of the table."""
    from studio.diffusion.engine import DiffusersEngine

    files = write_family(folder / "family", name)
    engine = DiffusersEngine(files, device=device)
    adapters = [write_adapter(folder / f"{i}.safetensors", engine.parts["unet"], rank, seed=i) for i in range(2)]
    layers = len(targets(engine.parts["unet"]))
    size = adapters[0].stat().st_size / 1e6
    times = [
        measure(way(DiffusersEngine(files, device=device), adapters), rounds)
        for way in (injecting, hot_swapping, in_place, copying)
    ]
    return f"{name:8} {layers:6} {size:6.1f} | " + " ".join(f"{seconds * 1000:9.1f}" for seconds in times)


def measure(change: Callable[[int], None], rounds: int) -> float:
    """Median seconds of changing to the other adapter; the first two changes are not counted."""
    seconds = []
    for i in range(rounds + 2):
        gc.collect()
        started = time.perf_counter()
        change(i % 2)
        synchronize()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[2:])


def injecting(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """diffusers: take the old one out, load the new one."""
    pipeline = plain(engine)

    def change(which: int) -> None:
        pipeline.unload_lora_weights()
        pipeline.load_lora_weights(adapters[which], adapter_name="one")

    return change


def hot_swapping(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """diffusers: ``hotswap=True`` into the loaded one."""
    pipeline = plain(engine)
    pipeline.load_lora_weights(adapters[0], adapter_name="one")
    return lambda which: pipeline.load_lora_weights(adapters[which], adapter_name="one", hotswap=True)


def in_place(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """Ours, as a job does it: read, check, hash, copy, set weights, verify."""
    from studio.diffusion.adapters import AdapterSlots
    from studio.diffusion.types import AdapterUse

    slots = AdapterSlots(plain(engine))

    def change(which: int) -> None:
        slots.use([AdapterUse(adapters[which])])

    return change


def copying(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """Ours, the copy into the slot's tensors alone."""
    from studio.diffusion.adapter_files import read_adapter
    from studio.diffusion.adapters import copy_into, inject

    pipeline = plain(engine)
    read = [read_adapter(path, pipeline) for path in adapters]
    slot = inject(pipeline, read[0], name="slot0")
    return lambda which: copy_into(slot, read[which])


def plain(engine: Any) -> Any:
    """A diffusers pipeline over the engine's modules."""
    from diffusers import DDIMScheduler

    from studio.diffusion.pipelines import build

    files = engine.files
    return build(
        files.inpaint, engine.parts, files.arguments, scheduler=DDIMScheduler(steps_offset=1, clip_sample=False)
    )


def targets(unet: Any) -> dict[str, Any]:
    """The attention's projections, where a usual LoRA sits."""
    return {name: module for name, module in unet.named_modules() if name.endswith(TARGETS)}


def write_adapter(path: Path, unet: Any, rank: int, *, seed: int) -> Path:
    """A LoRA of random values in diffusers' layout."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, module in targets(unet).items():
        tensors[f"unet.{name}.lora_A.weight"] = torch.randn(rank, module.in_features, generator=generator) * 0.05
        tensors[f"unet.{name}.lora_B.weight"] = torch.randn(module.out_features, rank, generator=generator) * 0.05
    save_file(tensors, path)
    return path


def synchronize() -> None:
    """Wait for the GPU, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
