"""Data sets, trainings, checkpoints, adapters and the grids that compare them."""

from __future__ import annotations

from training.models.adapters import OF_VERSION, Adapter, AdapterUpload, AdapterVersion, Promotion, not_withheld
from training.models.archives import SetArchive
from training.models.grids import Comparison, ComparisonCell
from training.models.runs import (
    OF_TRAINING,
    Checkpoint,
    Training,
    TrainingNote,
    TrainingPoint,
    TrainingSample,
    TrainingSource,
)
from training.models.sets import PictureKind, Preflight, TrainingPicture, TrainingSet, View

__all__ = [
    "OF_TRAINING",
    "OF_VERSION",
    "Adapter",
    "AdapterUpload",
    "AdapterVersion",
    "Checkpoint",
    "Comparison",
    "ComparisonCell",
    "PictureKind",
    "Preflight",
    "Promotion",
    "SetArchive",
    "Training",
    "TrainingNote",
    "TrainingPicture",
    "TrainingPoint",
    "TrainingSample",
    "TrainingSet",
    "TrainingSource",
    "View",
    "not_withheld",
]
