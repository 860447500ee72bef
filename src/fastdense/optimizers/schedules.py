"""The learning-rate schedules, under Keras' name for their module."""

from fastdense.training.schedules import *  # noqa: F403
from fastdense.training.schedules import __all__  # noqa: F401
