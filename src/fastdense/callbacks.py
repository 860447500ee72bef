"""The callbacks, under Keras' name for their module."""

from fastdense.training.callbacks import *  # noqa: F403
from fastdense.training.callbacks import __all__  # noqa: F401
