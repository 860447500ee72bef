"""The page of a training run, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from tests.insight.reported import X, fitted

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    stop = fd.callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)
    layers = [fd.Input((4,)), fd.Dense(12, "relu"), fd.Dropout(0.1), fd.Dense(3, "softmax")]
    model = fd.Sequential(layers, seed=0, name="<script>alert(1)</script>")
    rate = fd.optimizers.schedules.CosineDecay(0.05, 30)
    model.compile(fd.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, y, epochs=5, validation_split=0.25, verbose=0, callbacks=[stop])
    path = tmp_path_factory.mktemp("classes") / "run.html"
    model.report(path)
    return model, path


@pytest.fixture(scope="module")
def quantities(tmp_path_factory):
    path = tmp_path_factory.mktemp("quantities") / "run.html"
    fitted(1, X[:, 0] - 2 * X[:, 1], "mean_squared_error").report(path)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_it_says(opened, classes, scheme):
    model, path = classes
    with opened(path, color_scheme=scheme) as page:
        assert page.title() == "Training run of model '<script>alert(1)</script>'"
        headings = [heading.inner_text() for heading in page.locator("h2").all()]
        assert headings == ["How well", "Over the epochs", "The network", "How fast", "Reproduce this run"]
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


def test_a_layer_that_changes_the_width_is_drawn_with_its_own_columns(tmp_path):
    layers = [fd.Input((4,)), fd.layers.CategoryEmbedding((3, 2), 5), fd.Dropout(0.1), fd.Dense(1)]
    model = fd.Sequential(layers, seed=0)
    model.compile("adam", "mse")
    model.fit(X, X[:, 0], epochs=2, verbose=0)
    model.report(tmp_path / "run.html")
    label = "4 inputs; 12 columns, categoryembedding, dropout; 1 unit, linear"
    assert f"The network, layer by layer: {label}" in (tmp_path / "run.html").read_text()


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


HOSTILE = ["<b>bold</b>", "$b^$", "pay $1 or $5", "w" * 300, "東京", "\"quoted' & more"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The page of a table whose labels and columns are what they should not be."""
    table = pytest.importorskip("fastdense.tabular")
    kinds = np.arange(len(X)) % len(HOSTILE)
    hints = kinds + X[:, 0]  # a column equal to the target would be told as a leak
    frame = {"<i>size</i>": X[:, 0], "$w^$" + "u" * 200: hints, "<u>y</u>": [HOSTILE[k] for k in kinds]}
    model = table.train_table(frame, "<u>y</u>", recipe=table.Recipe((8,), epochs=2), seed=0, verbose=0)
    path = tmp_path_factory.mktemp("hostile") / "run.html"
    model.report(path)
    return path


@pytest.mark.parametrize("width", [360, 1200])
def test_names_are_text_whatever_they_hold(opened, hostile, width):
    with opened(hostile, viewport={"width": width, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator("main b, main i, main u").count() == 0
        heads = [cell.text_content() for cell in page.locator(".confusion thead th").all()]
        assert sorted(heads) == sorted(h if len(h) <= 32 else h[:31] + "…" for h in HOSTILE)
        assert page.locator(".confusion thead th span").get_attribute("title") == "w" * 300
        inputs = [item.text_content() for item in page.locator("#network li").all()]
        assert inputs == ["<i>size</i>", "$w^$" + "u" * 200]


@pytest.mark.parametrize("label", ["$b^$", "pay $1 or $5", "<b>"])
def test_two_labels_stand_under_their_picture_as_they_are(opened, tmp_path, label):
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": X[:, 0], "y": np.where(X[:, 0] > 0, label, "!")}
    model = table.train_table(frame, "y", recipe=table.Recipe((4,), epochs=1), seed=0, verbose=0)
    model.report(tmp_path / "run.html")
    with opened(tmp_path / "run.html") as page:
        texts = [text.text_content() for text in page.locator("#outcome svg text").all()]
    assert texts.count(f"probability of {label!r}") == 2


def test_notes_are_text(opened, tmp_path):
    def log(epoch, logs):
        if epoch:
            logs["<b>late</b>"] = 1.0

    model = fitted(
        1, X[:, 0], "mean_squared_error", callbacks=[fd.callbacks.LambdaCallback(on_epoch_end=log)]
    )
    model.report(tmp_path / "run.html")
    with opened(tmp_path / "run.html") as page:
        assert page.get_by_text("not drawn: <b>late</b>.").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_counts_can_be_read_on_the_darkest_cells(opened, tmp_path, scheme):
    y = (X[:, 0] > 0).astype(int)
    model = fitted(2, y, "sparse_categorical_crossentropy", "softmax", epochs=60)
    model.report(tmp_path / "run.html")
    with opened(tmp_path / "run.html", color_scheme=scheme) as page:
        ink, cell, panel = page.evaluate(
            """() => {
                const OFTEN = { willReadFrequently: true };
                const cells = [...document.querySelectorAll(".confusion td[style]")];
                const share = (cell) => parseFloat(cell.style.getPropertyValue("--share"));
                const full = cells.reduce((a, b) => (share(a) > share(b) ? a : b));
                const canvas = document.createElement("canvas").getContext("2d", OFTEN);
                const shown = (...colours) => {
                    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
                    return `rgb(${[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).join(", ")})`;
                };
                const style = getComputedStyle(full);
                const panel = getComputedStyle(document.querySelector("section")).backgroundColor;
                return [shown(style.color), shown(panel, style.backgroundColor), shown(panel)];
            }"""
        )
    assert cell != panel
    assert contrast(ink, cell) >= 4.5


def texts_of(page, place):
    return [text.text_content() for text in page.locator("#curves svg").nth(place).locator("text").all()]


def logged(values, name="number"):
    def log(epoch, logs):
        logs[name] = values[epoch]

    return [fd.callbacks.LambdaCallback(on_epoch_end=log)]


AXES = {
    "narrow": ([1.0, 2.0, 3.0], {"1.0", "3.0"}, set()),
    "wide": ([0.15, 2.0, 9.0], {"0.2", "0.5", "1", "2", "5"}, set()),
    "very wide": ([1e-4, 1.0, 100.0], {"0.0001", "1", "100"}, {"5", "0.2"}),
    "with infinity": ([0.15, np.inf, 9.0], {"0.2", "1", "5"}, set()),
    "below 0": ([-5.0, 1.0, 500.0], {"0", "200"}, set()),
}


@pytest.mark.parametrize("name", AXES)
def test_axes_have_numbers_that_tell_how_high_it_is(opened, tmp_path, name):
    values, some, none = AXES[name]
    model = fitted(1, X[:, 0], "mean_squared_error", callbacks=logged(values))
    model.report(tmp_path / "run.html")
    with opened(tmp_path / "run.html") as page:
        shown = set(texts_of(page, 1))
    assert some <= shown
    assert not none & shown


def test_texts_are_in_the_pages_own_letters(opened, classes):
    with opened(classes[1]) as page:
        fonts = page.evaluate(
            "[...document.querySelectorAll('svg text')].map((text) => getComputedStyle(text).fontFamily)"
        )
    assert set(fonts) == {"system-ui, sans-serif"}


def test_cells_are_shaded_by_their_share_of_the_row(opened, tmp_path):
    model = fitted(2, (X[:, 0] > 1).astype(int), "sparse_categorical_crossentropy", "softmax", epochs=1)
    found = model.report(tmp_path / "run.html")
    shares = found.outcomes[0].confusion / found.outcomes[0].support[:, None]
    with opened(tmp_path / "run.html") as page:
        shown = [cell.get_attribute("title") for cell in page.locator(".confusion td[style]").all()]
    assert shown == [f"{share:.1%} of its row" for share in shares.ravel()]


def test_one_of_each_is_said_of_one(opened, tmp_path):
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1)], seed=0)
    model.compile("sgd", "mean_squared_error")
    model.fit([[1.0]], [2.0], verbose=0)
    model.report(tmp_path / "run.html")
    with opened(tmp_path / "run.html") as page:
        assert "1 row; 1 epoch of 1 step" in page.locator("header").inner_text()
        assert "On 1 row trained on" in page.locator("#outcome").inner_text()
        assert "1" in texts_of(page, 0)
        assert "1 input;" in page.get_by_role("img").last.get_attribute("aria-label")
