"""Every page of the tutorial is a script that runs by itself."""

from __future__ import annotations

import os
import runpy

import pytest

from tests.docs.pages import LESSONS, need


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")  # where there is a display
def test_a_lesson_runs_and_draws(path, tmp_path, monkeypatch):
    need("matplotlib")
    if "LD_PRELOAD" in os.environ:
        pytest.skip("what it measures would take minutes with a sanitizer's library in it")
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    with mpl.rc_context():
        plt.switch_backend("Agg")
        try:
            runpy.run_path(str(path), run_name="__main__")
            drawn = plt.get_fignums()
        finally:
            plt.close("all")
    assert drawn, "no picture"
