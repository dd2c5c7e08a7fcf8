"""Many adapters on one resident base: each job has its own and no other's, whatever happened before it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from studio.diffusion.adapter_cache import AdapterCache, Stamp
from studio.diffusion.adapter_files import AdapterWeights, Pair
from studio.diffusion.adapters import AdapterSlots
from studio.diffusion.engine import DiffusersEngine
from studio.diffusion.types import AdapterUse, FamilyFiles, Generate
from studio.errors import Cancelled, InputError
from tests.studio.diffusion.lora_files import matrices, write_diffusers

REQUEST = {"prompt": "a coat", "seed": 3, "steps": 2, "sampler": "DDIM"}
Reader = Callable[[Path], AdapterWeights]


@pytest.fixture(scope="module")
def shared(sd_family: FamilyFiles) -> Iterator[DiffusersEngine]:
    engine = DiffusersEngine(sd_family, device="cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def files(shared: DiffusersEngine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Adapters of three merchants: the first two of one target list, the third of another rank."""
    folder = tmp_path_factory.mktemp("owners")
    ranks = {"alice": 4, "bob": 4, "carol": 8}
    return {
        name: write_diffusers(folder / f"{name}.safetensors", matrices(shared, seed=k, rank=rank))
        for k, (name, rank) in enumerate(ranks.items())
    }


@pytest.fixture(scope="module")
def alone(sd_family: FamilyFiles, files: dict[str, Path]) -> dict[str, bytes]:
    """What each gets from an engine that no other has used."""
    found = {}
    for name, uses in {"nobody": (), **{name: (AdapterUse(path),) for name, path in files.items()}}.items():
        engine = DiffusersEngine(sd_family, device="cpu")
        found[name] = painted(engine, *uses)
        engine.close()
    assert len(set(found.values())) == len(found)
    return found


def painted(engine: DiffusersEngine, *uses: AdapterUse) -> bytes:
    return engine.generate(Generate(**REQUEST, adapters=uses)).images[0].tobytes()


def cancel_after_a_step(engine: DiffusersEngine, use: AdapterUse) -> None:
    steps: list[object] = []
    with pytest.raises(Cancelled):
        engine.generate(
            Generate(**REQUEST, adapters=(use,)), on_progress=steps.append, should_cancel=lambda: bool(steps[1:])
        )


def fail_to_read(engine: DiffusersEngine, use: AdapterUse) -> None:
    with pytest.raises(InputError):
        painted(engine, use, AdapterUse(use.path.with_name("none.safetensors")))


def break_in_the_middle(engine: DiffusersEngine, use: AdapterUse) -> None:
    def explode(progress: object) -> None:
        raise RuntimeError("a listener failed")

    with pytest.raises(RuntimeError):
        engine.generate(Generate(**REQUEST, adapters=(use,)), on_progress=explode)


@pytest.mark.parametrize("mishap", [painted, cancel_after_a_step, fail_to_read, break_in_the_middle])
@pytest.mark.parametrize("then", ["nobody", "alice", "bob", "carol"])
def test_a_job_never_runs_with_anothers_adapter(
    shared: DiffusersEngine,
    files: dict[str, Path],
    alone: dict[str, bytes],
    mishap: Callable[[DiffusersEngine, AdapterUse], object],
    then: str,
) -> None:
    """Whoever came before, with whatever weight, and however that job ended: the bytes are those of an engine alone."""
    for before in files:
        mishap(shared, AdapterUse(files[before], 0.7))
        assert painted(shared, *([AdapterUse(files[then])] if then in files else [])) == alone[then], (before, then)


def test_swaps_and_weights_compile_nothing_anew(sd_family: FamilyFiles, files: dict[str, Path]) -> None:
    from torch._dynamo.testing import CompileCounter

    engine = DiffusersEngine(sd_family, device="cpu")
    slots, counter = AdapterSlots(engine._plain), CompileCounter()
    slots.use([AdapterUse(files["alice"])])
    unet = torch.compile(engine.parts["unet"], backend=counter)
    state = torch.zeros(1, 16, sd_family_width(engine))
    noise = torch.randn(1, 9, 12, 8, generator=torch.Generator().manual_seed(0))
    answers = []
    with torch.no_grad():
        for name, weight in (("alice", 1.0), ("bob", 1.0), ("bob", 0.3), ("alice", 0.8)):
            slots.use([AdapterUse(files[name], weight)])
            answers.append(unet(noise, torch.tensor(10), state).sample)
            if len(answers) == 1:
                compiled = counter.frame_count
    assert counter.frame_count == compiled > 0
    assert all(not torch.equal(one, other) for one, other in zip(answers, answers[1:], strict=False))
    plain = engine.parts["unet"](noise, torch.tensor(10), state).sample
    assert torch.allclose(plain, answers[-1], atol=1e-5)
    engine.close()


def sd_family_width(engine: DiffusersEngine) -> int:
    return int(engine.parts["unet"].config.cross_attention_dim)


def weights(path: Path) -> AdapterWeights:
    half = torch.zeros(int(path.read_text().split()[0]) * 1024 // 8)
    return AdapterWeights(
        hashlib.sha256(path.read_bytes()).hexdigest(), {("unet", "a"): Pair(half[None], half[:, None])}
    )


@pytest.fixture
def read(tmp_path: Path) -> tuple[list[str], Reader]:
    """A reader that notes what it read; the file's text begins with its size in kilobytes."""
    seen: list[str] = []

    def reader(path: Path) -> AdapterWeights:
        seen.append(path.name)
        return weights(path)

    return seen, reader


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_what_was_read_lately_is_not_read_again(tmp_path: Path, read: tuple[list[str], Reader]) -> None:
    seen, reader = read
    cache, path = AdapterCache(limit=10 * 1024), written(tmp_path, "a", "4")
    first = cache.get(path, Stamp.of(path), reader)
    assert cache.get(path, Stamp.of(path), reader) is first
    assert seen == ["a"]
    assert cache.bytes == 4 * 1024


def test_the_least_recently_used_goes_first_and_the_bound_holds(tmp_path: Path, read: tuple[list[str], Reader]) -> None:
    seen, reader = read
    cache = AdapterCache(limit=10 * 1024)
    paths = [written(tmp_path, name, f"4 {name}") for name in "abc"]
    for path in (paths[0], paths[1], paths[0], paths[2]):  # b is the one not used lately
        cache.get(path, Stamp.of(path), reader)
        assert cache.bytes <= cache.limit
    del seen[:]
    for path in (paths[0], paths[2], paths[1]):
        cache.get(path, Stamp.of(path), reader)
    assert seen == ["b"]


def test_one_that_is_larger_than_the_bound_is_not_kept_and_pushes_nobody_out(
    tmp_path: Path, read: tuple[list[str], Reader]
) -> None:
    seen, reader = read
    cache = AdapterCache(limit=10 * 1024)
    small, large = written(tmp_path, "small", "4"), written(tmp_path, "large", "11")
    for path in (small, large, small):
        cache.get(path, Stamp.of(path), reader)
    assert seen == ["small", "large"]


def test_a_file_that_is_another_or_gone_is_never_answered_from_memory(
    tmp_path: Path, read: tuple[list[str], Reader]
) -> None:
    seen, reader = read
    cache, path = AdapterCache(limit=10 * 1024), written(tmp_path, "a", "4")
    old = Stamp.of(path)
    assert old is not None
    cache.get(path, old, reader)
    written(tmp_path, "new", "5")
    os.replace(tmp_path / "new", path)
    os.utime(path, ns=(old.mtime_ns, old.mtime_ns))  # same name, size and time: the inode tells
    assert cache.get(path, Stamp.of(path), reader).bytes == 5 * 1024
    path.unlink()
    with pytest.raises(FileNotFoundError):
        cache.get(path, Stamp.of(path), reader)
    assert cache.bytes == 0
    assert seen == ["a", "a", "a"]


def test_a_copy_of_the_same_bytes_is_not_read_again_and_another_file_of_that_size_is(
    tmp_path: Path, read: tuple[list[str], Reader]
) -> None:
    """As an object store hands them out: each job has the file at a path of its own, which is gone afterwards."""
    seen, reader = read
    cache = AdapterCache(limit=100 * 1024)
    first = written(tmp_path, "first", "4 alice")
    kept = cache.get(first, Stamp.of(first), reader)
    first.unlink()
    copy, other = written(tmp_path, "copy", "4 alice"), written(tmp_path, "other", "4 bobby")
    assert cache.get(copy, Stamp.of(copy), reader) is kept
    assert cache.get(copy, Stamp.of(copy), reader) is kept
    assert cache.get(other, Stamp.of(other), reader) is not kept
    assert seen == ["first", "other"]


def test_a_slot_takes_a_copy_of_what_is_in_it_and_draws_the_same(
    shared: DiffusersEngine, files: dict[str, Path], alone: dict[str, bytes], tmp_path: Path
) -> None:
    """A copy is the same adapter; another merchant's at the path of the first is another one."""
    place = tmp_path / "job.safetensors"
    for name in ("alice", "bob", "alice"):
        place.unlink(missing_ok=True)
        place.write_bytes(files[name].read_bytes())
        assert painted(shared, AdapterUse(place)) == alone[name]
        copy = tmp_path / f"{name}-again.safetensors"
        copy.write_bytes(files[name].read_bytes())
        assert painted(shared, AdapterUse(copy)) == alone[name]
    assert painted(shared) == alone["nobody"]
