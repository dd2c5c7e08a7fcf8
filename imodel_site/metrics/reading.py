"""Prometheus's text, put together at a scrape from three sources; one that fails leaves the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from imodel_site.metrics import counting, machine, sharing
from imodel_site.metrics.catalogue import Family

log = logging.getLogger("imodel.metrics")
Sample = tuple[Family, Sequence[str], float]
Source = Callable[[], Iterable[Sample]]


def text(*sources: Source) -> bytes:
    """What was counted on this machine, its state, and whatever else is asked for, in the text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Counted())
    registry.register(_Gauges((machine.samples, *sources)))
    return bytes(generate_latest(registry))


class _Counted:
    """The counters and histograms of all processes here; of this one alone, while it shares with nobody."""

    def collect(self) -> Iterator[Any]:
        """prometheus_client's hook."""
        yield from sharing.collect() if sharing.shared() else counting.registry().collect()

    def describe(self) -> list[Any]:
        """Nothing is known before it is collected."""
        return []


class _Gauges:
    """Samples, gathered by family."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def describe(self) -> list[Any]:
        """Nothing is known before it is collected."""
        return []

    def collect(self) -> Iterator[Any]:
        """prometheus_client's hook."""
        found: dict[str, GaugeMetricFamily] = {}
        for family, labels, value in self._samples():
            if family.name not in found:
                found[family.name] = GaugeMetricFamily(family.name, family.says, labels=family.labels)
            found[family.name].add_metric([str(label) for label in labels], value)
        yield from found.values()

    def _samples(self) -> Iterator[Sample]:
        for source in self._sources:
            try:
                yield from source()
            except Exception:  # a number that is missing is seen; a scrape that fails hides all the others
                log.warning("some metrics could not be read", exc_info=True)
