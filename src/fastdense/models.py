"""The model and its loading, under Keras' name for their module."""

from fastdense.formats.models import load
from fastdense.formats.models import load as load_model
from fastdense.network.layers import Input
from fastdense.network.sequential import Sequential

__all__ = ["Input", "Sequential", "load", "load_model"]
