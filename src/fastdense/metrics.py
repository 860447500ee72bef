"""The metrics, under Keras' name for their module."""

from fastdense.training.metrics import *  # noqa: F403
from fastdense.training.metrics import __all__, get  # noqa: F401
