"""The losses, under Keras' name for their module."""

from fastdense.training.losses import *  # noqa: F403
from fastdense.training.losses import __all__, get  # noqa: F401
