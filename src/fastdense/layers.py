"""The layers, under Keras' name for their module."""

from fastdense.network.layers import *  # noqa: F403
from fastdense.network.layers import __all__  # noqa: F401
