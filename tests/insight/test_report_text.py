"""The page of a training run as it is written: what is drawn, cut and said, without a browser."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace

import numpy as np
import pytest

import fastdense as fd
from tests.insight.reported import RNG, X, fitted

pytest.importorskip("matplotlib")


def test_many_questions_and_many_classes_are_cut(tmp_path):
    model = fitted(20, RNG.normal(size=(400, 20)), "mean_squared_error")
    model.report(tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text()
    assert "8 more are in the table alone." in text
    assert text.count("<details>") == 12 + 1
    model = fitted(40, RNG.integers(0, 40, 400), "sparse_categorical_crossentropy", "softmax")
    model.report(tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text()
    assert "The commonest mistakes" in text
    assert "40 classes, one by one" in text
    assert 'class="confusion"' not in text


@pytest.mark.parametrize(("rows", "least", "most"), [(50, 50, 60), (3000, 100, 1500)])
def test_many_points_are_counted(rows, least, most, tmp_path):
    points = RNG.normal(size=(rows, 4))
    model = fitted(1, X[:, 0], "mean_squared_error")
    model.report(tmp_path / "run.html", data=(points, RNG.normal(size=rows)))
    cloud = (tmp_path / "run.html").read_text().partition("<svg")[2].partition("</svg>")[0]
    assert least <= cloud.count("<use") + cloud.count("<path") <= most + 50


def test_a_deep_and_wide_network_is_cut(tmp_path):
    layers = [fd.Dense(300, "relu", name=f"layer<{i}>") for i in range(12)]
    model = fd.Sequential([fd.Input((4,)), *layers, fd.layers.Softmax()], seed=0)
    model.compile("sgd", "categorical_crossentropy")
    model.fit(X, np.eye(300)[RNG.integers(0, 300, 400)], verbose=0)
    model.report(tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text()
    assert "300 units, relu, softmax" in text
    assert "layer<0>" not in text
    assert len(text) < 400_000


def test_a_damaged_write_leaves_the_page_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "run.html"
    path.write_text("before")
    model = fitted(1, X[:, 0], "mean_squared_error")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(OSError, match="disk is full"):
        model.report(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_notebooks_show_the_page():
    model = fitted(1, X[:, 0], "mean_squared_error")
    shown = model.report()._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert 'title="A training run"' in shown


def test_the_users_own_style_is_left_alone(tmp_path, recwarn):
    import matplotlib as mpl

    model = fitted(1, X[:, 0], "mean_squared_error")
    model.report(tmp_path / "plain.html")
    with mpl.rc_context({"text.usetex": True, "axes.grid.axis": "x", "figure.constrained_layout.use": True}):
        model.report(tmp_path / "styled.html")
        assert mpl.rcParams["text.usetex"] is True
    plain, styled = ((tmp_path / f"{name}.html").read_text() for name in ("plain", "styled"))
    first = plain.index("<svg")
    assert plain[first : plain.index("</svg>")] == styled[first : styled.index("</svg>")]
    assert not recwarn.list


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e9])
def test_residuals_that_hardly_differ_are_drawn(tmp_path, scale):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(1, kernel_initializer="zeros")], seed=0, dtype="float64")
    model.compile(fd.optimizers.SGD(0.0), "mean_absolute_error")
    y = scale * (1 + np.finfo(float).eps * (np.arange(400) % 3))
    model.fit(X, y, verbose=0)
    model.report(tmp_path / "run.html")
    assert "R2" in (tmp_path / "run.html").read_text()


def test_many_classes_take_no_more_than_a_moment_each(tmp_path):
    """Two thousand classes: what was done for each of them once took all of them."""
    counted = []
    outcome = importlib.import_module("fastdense.training.outcomes").Classified
    support = outcome.support.fget
    model = fitted(300, RNG.integers(0, 300, 400), "sparse_categorical_crossentropy", "softmax", epochs=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcome, "support", property(lambda self: counted.append(1) or support(self)))
        model.report(tmp_path / "run.html")
    assert len(counted) < 10


def test_the_commonest_mistakes_come_first(tmp_path):
    y = np.arange(400) % 30
    model = fitted(30, y, "sparse_categorical_crossentropy", "softmax", epochs=1)
    found = model.report()
    confusion = np.diag(np.full(30, 5))
    confusion[3, 4], confusion[7, 1] = 2, 9
    page = importlib.import_module("fastdense.insight.report.page")
    made = page.report_page(replace(found, outcomes=(replace(found.outcomes[0], confusion=confusion),)))
    rows = re.findall(r"<th scope='row'>(\d+)</th><td>(\d+)</td><td>(\d+)</td>", made)
    assert rows == [("7", "1", "9"), ("3", "4", "2")]


def test_the_promise_of_bits_is_the_native_engines(tmp_path):
    for engine, said in (
        ("native", "the same bits, on any number"),
        ("array", "same weights within rounding"),
    ):
        model = fd.Sequential([fd.Input((4,)), fd.Dense(1)], seed=0, engine=engine)
        model.compile("sgd", "mean_squared_error")
        model.fit(X, X[:, 0], verbose=0)
        model.report(tmp_path / "run.html")
        assert said in (tmp_path / "run.html").read_text()


@pytest.mark.parametrize(("weight", "colour"), [(2.0, "--ours"), (-2.0, "--other")])
def test_weights_are_drawn_by_their_sign_and_strength(tmp_path, weight, colour):
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    model.compile(fd.optimizers.SGD(0.0), "mean_squared_error")
    model.fit(np.ones((2, 2)), np.ones(2), verbose=0)
    model.set_weights([[[weight], [weight / 2]], [0.0]])
    model.report(tmp_path / "run.html")
    network = (
        (tmp_path / "run.html").read_text().partition('<section id="network">')[2].partition("</svg>")[0]
    )
    lines = re.findall(r"stroke: var\((--ours|--other)\);? ?(?:stroke-opacity: ([\d.]+))?", network)
    assert [line[0] for line in lines] == [colour, colour]
    assert float(lines[0][1]) > float(lines[1][1])
