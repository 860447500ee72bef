"""A table's rows in every kind of frame."""

import pandas as pd
import polars as pl
import pytest

FRAMES = {"dict": dict, "pandas": pd.DataFrame, "polars": pl.DataFrame}


@pytest.fixture(params=FRAMES)
def frame(request):
    """A function that makes a frame from a dict of lists."""
    return FRAMES[request.param]
