"""What can listen to training and act on it."""

from fastdense.training.callbacks.backup import BackupAndRestore
from fastdense.training.callbacks.base import Callback, CallbackList
from fastdense.training.callbacks.checkpoint import ModelCheckpoint
from fastdense.training.callbacks.history import History
from fastdense.training.callbacks.monitor import EarlyStopping, ReduceLROnPlateau
from fastdense.training.callbacks.simple import (
    CSVLogger,
    LambdaCallback,
    LearningRateScheduler,
    TerminateOnNaN,
)

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
