"""The optimizers, under Keras' name for their module."""

from fastdense.training.optimizers import *  # noqa: F403
from fastdense.training.optimizers import __all__, get  # noqa: F401
