"""What a GPU holds is read from torch's own books, only where torch is loaded and has touched one."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from studio.serve.resident import gpu_memory


def _torch(*, initialized: bool) -> Any:
    """As torch.cuda tells of two GPUs, of which this process uses the second."""
    used = {0: (0, 0), 1: (5_000, 8_000)}
    cuda = SimpleNamespace(
        is_initialized=lambda: initialized,
        device_count=lambda: 2,
        memory_allocated=lambda device: used[device][0],
        memory_reserved=lambda device: used[device][1],
        get_device_properties=lambda device: SimpleNamespace(total_memory=10_000),
    )
    return SimpleNamespace(cuda=cuda)


def test_the_gpu_that_is_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", _torch(initialized=True))
    assert gpu_memory() == [{"device": 1, "allocated": 5_000, "reserved": 8_000, "total": 10_000}]


def test_asking_does_not_wake_a_gpu_that_nobody_has_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", _torch(initialized=False))
    assert gpu_memory() == []


def test_without_torch_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert gpu_memory() == []
