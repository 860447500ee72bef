"""The penalties on weights, under Keras' name for their module."""

from fastdense.network.regularizers import *  # noqa: F403
from fastdense.network.regularizers import __all__  # noqa: F401
