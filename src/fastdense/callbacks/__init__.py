"""What can listen to training and act on it."""

from fastdense.callbacks.backup import BackupAndRestore
from fastdense.callbacks.base import Callback, CallbackList
from fastdense.callbacks.checkpoint import ModelCheckpoint
from fastdense.callbacks.history import History
from fastdense.callbacks.monitor import EarlyStopping, ReduceLROnPlateau
from fastdense.callbacks.simple import (
    CSVLogger,
    LambdaCallback,
    LearningRateScheduler,
    TerminateOnNaN,
)
from fastdense.core.absent import Absent, stand_in

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
