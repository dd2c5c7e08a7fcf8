"""Every family of weights in one table, where they live on this machine, and what is never opened."""

from studio.weights.disk import file_hash
from studio.weights.registry import FAMILIES, find_family
from studio.weights.store import family_hashes, locate, weights_root
from studio.weights.types import Defaults, Family, Licence, LocatedWeights, Pipelines, Task

__all__ = [
    "FAMILIES",
    "Defaults",
    "Family",
    "Licence",
    "LocatedWeights",
    "Pipelines",
    "Task",
    "family_hashes",
    "file_hash",
    "find_family",
    "locate",
    "weights_root",
]
