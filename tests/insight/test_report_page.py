"""The page of a training run, in a real browser."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import fastdense as fd

pytest.importorskip("matplotlib")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4))


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(importlib.import_module("fastdense.insight.report.measure"), "SECONDS", 1e-3)


def fitted(n_out, y, loss, last="linear", epochs=3, name="model", **fit):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(6, "tanh"), fd.Dense(n_out, last)], seed=0, name=name)
    model.compile(fd.optimizers.Adam(0.05), loss)
    model.fit(X, y, epochs=epochs, verbose=0, **fit)
    return model


@pytest.fixture
def classes(tmp_path):
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    stop = fd.callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)
    layers = [fd.Input((4,)), fd.Dense(12, "relu"), fd.Dropout(0.1), fd.Dense(3, "softmax")]
    model = fd.Sequential(layers, seed=0, name="<script>alert(1)</script>")
    rate = fd.optimizers.schedules.CosineDecay(0.05, 30)
    model.compile(fd.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, y, epochs=5, validation_split=0.25, verbose=0, callbacks=[stop])
    model.report(tmp_path / "run.html")
    return model, tmp_path / "run.html"


@pytest.fixture
def quantities(tmp_path):
    fitted(1, X[:, 0] - 2 * X[:, 1], "mean_squared_error").report(tmp_path / "run.html")
    return tmp_path / "run.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_it_says(opened, classes, scheme):
    model, path = classes
    with opened(path, color_scheme=scheme) as page:
        assert page.title() == "Training run of model '<script>alert(1)</script>'"
        headings = [heading.inner_text() for heading in page.locator("h2").all()]
        assert headings == ["How well", "Over the epochs", "The network", "How fast", "To do it again"]
        accuracy = model.evaluate(X[300:], (X[300:, 0] > 0).astype(int) + (X[300:, 1] > 0), verbose=0)[1]
        assert page.locator(".tiles dd").first.inner_text() == f"{accuracy:.4f}"
        counts = [int(cell.inner_text()) for cell in page.locator(".confusion td[style]").all()]
        assert (len(counts), sum(counts)) == (9, 100)
        assert "fd.callbacks.EarlyStopping(" in page.locator("pre").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["classes", "quantities"])
def test_everything_drawn_can_be_told_from_the_paper(opened, request, kind, scheme):
    """Every line and text has a contrast of 3 to 1, as the guidelines for accessibility ask."""
    found = request.getfixturevalue(kind)
    with opened(found if kind == "quantities" else found[1], color_scheme=scheme) as page:
        inks = page.evaluate(
            """() => [...document.querySelectorAll("svg text, svg path")].flatMap((element) => {
                const style = getComputedStyle(element);
                return element.tagName === "text" ? [style.fill] : [style.stroke];
            }).filter((colour) => colour.startsWith("rgb("))"""
        )
        paper = page.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
        grid = page.evaluate(
            """() => {
                const probe = document.body.appendChild(document.createElement("i"));
                probe.style.color = "var(--line)";
                return getComputedStyle(probe).color;
            }"""
        )
        told = {ink for ink in inks if ink not in (paper, grid)}
        assert len(told) >= 3
        assert min(contrast(ink, paper) for ink in told) >= 3


def contrast(one, other):
    """Return the ratio of two colours' luminances, by the Web Content Accessibility Guidelines 2."""
    levels = []
    for colour in (one, other):
        parts = np.array([int(part) for part in colour[4:-1].split(",")]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        levels.append(float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(levels) / min(levels)


def test_every_picture_says_what_it_shows(opened, classes):
    with opened(classes[1]) as page:
        names = [picture.get_attribute("aria-label") for picture in page.get_by_role("img").all()]
    assert len(names) == 6  # two of calibration, loss, accuracy, the rate, the network
    assert names[0].startswith("Calibration of the probability of the class chosen: predicted 0.")
    assert "on the rows held out from" in names[2]
    assert names[-1] == "The network, layer by layer: 4 inputs; 12 units, relu, dropout; 3 units, softmax"


def test_names_within_pictures_are_not_those_of_another(classes):
    text = classes[1].read_text()
    for one in ("figure_1", "axes_1", "patch_1", "text_1"):
        assert f'id="{one}"' not in text


def test_what_is_folded_opens_by_keyboard(opened, classes):
    with opened(classes[1]) as page:
        numbers = page.locator("details").first
        numbers.locator("summary").focus()
        page.keyboard.press("Enter")
        rows = numbers.locator("tbody tr")
        assert rows.count() == 5
        assert rows.first.inner_text().split()[0] == "1"
        assert len(rows.first.locator("td").all()) == 4  # loss and accuracy, and both held out


def test_it_is_printed_whole(opened, classes):
    with opened(classes[1]) as page:
        rows = page.locator("details").first.locator("tbody tr").first
        assert not rows.is_visible()
        page.emulate_media(media="print")
        assert rows.is_visible()


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("kind", ["classes", "quantities"])
def test_every_screen_is_wide_enough(opened, request, kind, width):
    found = request.getfixturevalue(kind)
    path = found if kind == "quantities" else found[1]
    with opened(path, viewport={"width": width, "height": 640}) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_quantities_show_their_residuals(opened, quantities):
    with opened(quantities) as page:
        labels = [picture.get_attribute("aria-label") for picture in page.get_by_role("img").all()]
        assert [label.split()[0] for label in labels[:3]] == ["Truth", "Residuals:", "Means"]
        names = [name.inner_text() for name in page.locator("#outcome .tiles dt").all()]
    assert names == ["RMSE", "MAE", "R2", "bias"]


def test_several_questions_are_a_table_and_unfold(opened, tmp_path):
    model = fitted(3, X[:, :3] > 0, "binary_crossentropy", "sigmoid")
    model.report(tmp_path / "run.html")
    with opened(tmp_path / "run.html") as page:
        rows = page.locator("#outcome > .product tbody tr")
        assert [row.inner_text().split()[1] for row in rows.all()] == ["1", "2", "3"]
        page.get_by_text("output 2", exact=True).last.click()
        assert page.locator("details[open] .confusion").is_visible()


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


@pytest.mark.parametrize("rows", [50, 3000])
def test_many_points_are_counted(rows, tmp_path):
    points = RNG.normal(size=(rows, 4))
    model = fitted(1, X[:, 0], "mean_squared_error")
    model.report(tmp_path / "run.html", data=(points, points[:, 0]))
    assert len((tmp_path / "run.html").read_text()) < 400_000


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
