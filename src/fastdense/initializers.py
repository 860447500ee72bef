"""The initialisers, under Keras' name for their module."""

from collections.abc import Callable

from fastdense.absent import Absent, stand_in
from fastdense.network.initializers import *  # noqa: F403
from fastdense.network.initializers import FAMILY, Initializer, __all__, get  # noqa: F401


def __getattr__(name: str) -> Callable[[], Initializer] | type[Absent]:
    return FAMILY.aliases.get(name) or stand_in(__name__, name)
