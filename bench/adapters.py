"""How long it takes to change a LoRA on a resident base, by diffusers' ways and by ours.

    python -m bench.adapters [--families mini tiny mid mid_xl] [--rank 16] [--rounds 5] [--device NAME] [--dtype NAME]

Each way changes back and forth between two adapters of one target list; the files lie in the page cache.

    fuse      diffusers: unfuse_lora, unload_lora_weights, load_lora_weights, fuse_lora
    load      diffusers: unload_lora_weights, load_lora_weights
    hotswap   diffusers: enable_lora_hotswap once, then load_lora_weights(hotswap=True)
    disk      ours, as a job does it: read, check, hash, copy, set the weight, verify
    RAM       the same with the file in the cache of those read lately
    copy      ours, the copy into the slot's tensors alone

``mini`` is the bundled engine, the others have random weights; only times are looked at. Every way but the fused one
leaves the base as it was; fusing adds and subtracts in the base's own precision, and what is left of that after the
last change is printed as drift: the largest difference of a base weight from what it was.
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
    parser.add_argument("--families", nargs="+", default=["mini", "tiny", "mid", "mid_xl"], choices=["mini", *SHAPES])
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default=None)
    parser.add_argument("--dtype", default=None)
    options = parser.parse_args()
    names = " ".join(f"{name:>9}" for name in WAYS)
    print(f"{'family':8} {'layers':>6} {'MB':>6} | {names}  (ms)   drift after fusing")
    for name in options.families:
        with tempfile.TemporaryDirectory() as folder, quiet():
            print(row(Path(folder), name, options), flush=True)


def row(folder: Path, name: str, options: argparse.Namespace) -> str:
    """One family's line of the table."""
    files = family(folder / "family", name, options.device)
    engine = load(files, options)
    adapters = [write_adapter(folder / f"{i}.safetensors", engine.parts["unet"], options.rank, seed=i) for i in (0, 1)]
    layers, size = len(targets(engine.parts["unet"])), adapters[0].stat().st_size / 1e6
    before = base_weights(engine)
    times = []
    for way in WAYS.values():
        change = way(engine, adapters)
        times.append(measure(change, options.rounds))
        if way is fusing:
            drift = max(
                float((after - was).abs().max()) for was, after in zip(before, base_weights(engine), strict=True)
            )
        engine = load(files, options)  # so that each way finds the base untouched
    figures = " ".join(f"{seconds * 1000:9.1f}" for seconds in times)
    return f"{name:8} {layers:6} {size:6.1f} | {figures}         {drift:.1e}"


def family(folder: Path, name: str, device: str | None) -> Any:
    """The bundled family, or one of random weights: in half precision where it will be used so."""
    if name == "mini":
        from studio.diffusion.parts import from_located
        from studio.weights.store import locate

        return from_located(locate("mini"))
    import torch

    return write_family(folder, name, dtype=torch.float16 if device == "cuda" else None)


def load(files: Any, options: argparse.Namespace) -> Any:
    """A fresh engine."""
    from studio.diffusion.engine import DiffusersEngine

    gc.collect()
    return DiffusersEngine(files, device=options.device, dtype=options.dtype)


def measure(change: Callable[[int], None], rounds: int) -> float:
    """Median seconds of changing to the other adapter; the first two changes are not counted."""
    seconds = []
    for i in range(rounds + 2):
        gc.collect()
        synchronize()
        started = time.perf_counter()
        change(i % 2)
        synchronize()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[2:])


def fusing(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """diffusers: the adapter added into the base, and taken out again before the next."""
    pipeline = plain(engine)
    fused: list[int] = []

    def change(which: int) -> None:
        if fused:
            pipeline.unfuse_lora()
            pipeline.unload_lora_weights()
        pipeline.load_lora_weights(adapters[which], adapter_name="one")
        pipeline.fuse_lora()
        fused.append(which)

    return change


def loading(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """diffusers: take the old one out, load the new one."""
    pipeline = plain(engine)

    def change(which: int) -> None:
        pipeline.unload_lora_weights()
        pipeline.load_lora_weights(adapters[which], adapter_name="one")

    return change


def hot_swapping(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """diffusers: ``hotswap=True`` into the loaded one, prepared as its documentation says."""
    pipeline = plain(engine)
    pipeline.enable_lora_hotswap(target_rank=rank_of(adapters[0]))
    pipeline.load_lora_weights(adapters[0], adapter_name="one")
    return lambda which: pipeline.load_lora_weights(adapters[which], adapter_name="one", hotswap=True)


def from_disk(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """Ours with nothing kept in RAM."""
    return _ours(engine, adapters, limit=0)


def from_ram(engine: Any, adapters: list[Path]) -> Callable[[int], None]:
    """Ours with both adapters read lately."""
    return _ours(engine, adapters, limit=2**30)


def _ours(engine: Any, adapters: list[Path], *, limit: int) -> Callable[[int], None]:
    from studio.diffusion.adapter_cache import AdapterCache
    from studio.diffusion.adapters import AdapterSlots
    from studio.diffusion.types import AdapterUse

    slots = AdapterSlots(plain(engine), AdapterCache(limit))

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


WAYS: dict[str, Callable[[Any, list[Path]], Callable[[int], None]]] = {
    "fuse": fusing,
    "load": loading,
    "hotswap": hot_swapping,
    "disk": from_disk,
    "RAM": from_ram,
    "copy": copying,
}


def plain(engine: Any) -> Any:
    """A diffusers pipeline over the engine's modules."""
    from diffusers import DDIMScheduler

    from studio.diffusion.pipelines import build

    files = engine.files
    return build(
        files.inpaint, engine.parts, files.arguments, scheduler=DDIMScheduler(steps_offset=1, clip_sample=False)
    )


def base_weights(engine: Any) -> list[Any]:
    """Copies of the weights an adapter changes, whether peft has wrapped their layers or not."""
    layers = [getattr(module, "base_layer", module) for module in targets(engine.parts["unet"]).values()]
    return [layer.weight.detach().clone().float() for layer in layers]


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


def rank_of(path: Path) -> int:
    """The rank of a LoRA that :func:`write_adapter` wrote."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return int(next(file.get_slice(n).get_shape()[0] for n in file.keys() if "lora_A" in n))


def synchronize() -> None:
    """Wait for the GPU, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
