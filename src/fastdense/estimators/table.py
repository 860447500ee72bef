"""The learner for tables under its former name: see `fastdense.tabular`."""

from fastdense.tabular import *  # noqa: F403
