"""The optimizers, under Keras' name for their module."""

from fastdense.absent import Absent, stand_in
from fastdense.training.optimizers import *  # noqa: F403
from fastdense.training.optimizers import __all__, get  # noqa: F401


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
