"""The penalties on weights, under Keras' name for their module."""

from fastdense.absent import Absent, stand_in
from fastdense.network.regularizers import *  # noqa: F403
from fastdense.network.regularizers import __all__  # noqa: F401


def __getattr__(name: str) -> type[Absent]:
    return stand_in(__name__, name)
