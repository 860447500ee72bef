"""The activations, under Keras' name for their module."""

from fastdense.network.activations import *  # noqa: F403
from fastdense.network.activations import __all__, get  # noqa: F401
