"""The initialisers, under Keras' name for their module."""

from fastdense.network.initializers import *  # noqa: F403
from fastdense.network.initializers import __all__, get  # noqa: F401
