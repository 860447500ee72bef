"""What a notebook shows, in a page around it as notebooks have."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd

BRIEF = 1e-4


@pytest.fixture
def model():
    return fd.Sequential([fd.Input((3,)), fd.Dense(2, "relu", name="<i>a</i>")], name="<b>", seed=0)


def in_notebook(tmp_path, shown):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><link rel='icon' href='data:,'><main>{shown}</main>", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["ladder", "sweep"])
def test_tables_with_charts(opened, tmp_path, kind):
    pytest.importorskip("matplotlib")
    found = getattr(fd.insight, kind)(rows=4, inputs=3, units=2, seconds=BRIEF)
    with opened(in_notebook(tmp_path, found._repr_html_())) as page:
        assert page.locator("th").first.inner_text() in ("rung", "rows per call")
        assert page.get_by_text("native kernel, one core").first.is_visible()
        assert page.locator("svg").count() == 1
        assert page.locator("svg").bounding_box()["width"] > 300


def test_a_profile(opened, tmp_path, model):
    with opened(in_notebook(tmp_path, model.profile(2, BRIEF)._repr_html_())) as page:
        assert page.locator("td").first.inner_text() == "<i>a</i>"
        assert page.get_by_text("Model '<b>': 2 rows per call").is_visible()


def test_an_explanation_steps_within_a_notebook(opened, tmp_path, model):
    shown = model.explain(np.zeros(3))._repr_html_()
    with opened(in_notebook(tmp_path, shown)) as page:
        frame = page.frame_locator("iframe")
        frame.locator("#next").click()
        assert frame.locator("section.current h2").inner_text() == "Layer 1: dense <i>a</i>"


def test_without_what_draws_there_is_a_table_or_the_text(monkeypatch, model):
    monkeypatch.setattr("fastdense.insight.notebook.find_spec", lambda name: None)
    shown = fd.insight.ladder(rows=2, inputs=1, units=1, seconds=BRIEF)._repr_html_()
    assert "<table>" in shown
    assert "<svg" not in shown
    assert model.explain(np.zeros(3))._repr_html_() is None
