"""The page of an explanation, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd


@pytest.fixture
def model():
    layers = [fd.Input((2,)), fd.Dense(3, "sigmoid", name="<b>first</b>"), fd.Dropout(0.5), fd.Dense(1)]
    model = fd.Sequential(layers, name="<script>alert(1)</script>")
    W, B = [[1.0, -3.0, 5.0], [-2.0, 4.0, -6.0]], [-1.0, 1.0, 2.0]
    model.set_weights([W, B, [[1.0], [2.0], [-1.0]], [0.5]])
    model.compile("sgd", "mean_squared_error")
    return model


@pytest.fixture
def path(tmp_path, model):
    model.explain([200.0, 17.0], 1.0).save_html(tmp_path / "page.html")
    return tmp_path / "page.html"


def visible(page):
    return [heading.inner_text() for heading in page.locator("section.step h2:visible").all()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_steps_by_click_and_by_keyboard(opened, path, scheme):
    with opened(path, color_scheme=scheme) as page:
        assert visible(page) == ["The row that goes in"]
        assert page.locator("#back").is_disabled()
        page.locator("#next").click()
        assert visible(page) == ["Layer 1: dense <b>first</b>"]
        page.keyboard.press("ArrowRight")
        assert visible(page) == ["Layer 2: dropout dropout"]
        page.keyboard.press("ArrowLeft")
        assert page.locator("#where").inner_text() == "Step 2 of 8"
        page.keyboard.press("End")
        assert visible(page) == ["Back through layer 1: dense <b>first</b>"]
        assert page.locator("#next").is_disabled()
        page.keyboard.press("Home")
        assert visible(page) == ["The row that goes in"]
        page.get_by_role("button", name="Answer").click()
        assert visible(page) == ["The model's answer", "Its loss"]
        assert page.locator("[aria-current=step]").inner_text() == "Answer"


def test_a_unit_is_chosen_by_click_and_by_keyboard(opened, path):
    with opened(path) as page:
        page.keyboard.press("ArrowRight")
        section = page.locator("section.current")
        assert section.locator(".sum").inner_text() == "200 * 1 + 17 * -2 + -1 = 165"
        section.get_by_role("button", name="unit 2").click()
        assert section.locator(".sum").inner_text() == "200 * -3 + 17 * 4 + 1 = -531"
        marked = [cell.inner_text() for cell in section.locator("td.on").all()]
        assert marked == ["200", "17", "-3", "4", "1", "-531"]
        section.get_by_role("button", name="unit 3").focus()
        page.keyboard.press("Enter")
        assert section.locator(".sum").inner_text().endswith("= 900")
        assert section.get_by_role("button", name="unit 3").get_attribute("aria-pressed") == "true"


def test_a_notebook_that_shows_it_stays_where_it_is(opened, model, tmp_path):
    """The steps' names are scrolled within their row, and the page around the frame is not."""
    deep = fd.Sequential([fd.Input((2,)), *(fd.Dense(2, name=f"layer{i}") for i in range(40))], seed=0)
    frame = deep.explain([1.0, 2.0])._repr_html_()
    (tmp_path / "notebook.html").write_text(
        f'<!doctype html><link rel="icon" href="data:,"><div style="height: 3000px"></div>{frame}'
    )
    with opened(tmp_path / "notebook.html") as page:
        inner = page.frames[1]
        inner.wait_for_selector("[aria-current=step]")
        assert page.evaluate("window.scrollY") == 0
        inner.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }))")
        assert inner.locator("[aria-current=step]").inner_text() == "Answer"
        assert inner.evaluate("document.querySelector('.steps').scrollLeft") > 0
        assert page.evaluate("window.scrollY") == 0


def test_without_scripts_all_of_it_is_shown(opened, path):
    with opened(path, java_script_enabled=False) as page:
        assert len(visible(page)) == 9


def test_every_matrix_has_a_name(opened, path):
    with opened(path) as page:
        assert page.locator("table.matrix").count() == page.locator("table.matrix caption").count() > 10
        assert page.title() == "Model '<script>alert(1)</script>': one row, forward and back"


def test_every_screen_is_wide_enough(opened, tmp_path):
    layers = [fd.Dense(40, "relu", name="n" * 150 + str(i)) for i in range(12)]
    model = fd.Sequential([fd.Input((30,)), *layers, fd.Dense(1)], name="m" * 100, seed=0)
    model.compile("sgd", "mean_squared_error")
    model.explain(np.ones(30), 1.0).save_html(tmp_path / "page.html")
    with opened(tmp_path / "page.html", viewport={"width": 360, "height": 640}) as page:
        for _ in range(page.locator("section.step").count()):
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert page.locator("section.current").bounding_box()["y"] < 640
            page.keyboard.press("ArrowRight")


def test_it_is_printed_whole(opened, path):
    with opened(path) as page:
        page.emulate_media(media="print")
        assert len(visible(page)) == 9


def test_large_matrices_are_cut(tmp_path):
    model = fd.Sequential([fd.Input((300,)), fd.Dense(200, "relu"), fd.Dense(1)], seed=0)
    model.explain(np.zeros(300)).save_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "W1 (300, 200)" in text
    assert len(text) < 200_000
    assert "Back through" not in text


def test_tables_name_their_columns_and_classes(tmp_path):
    table = pytest.importorskip("fastdense.tabular")
    frame = {"si<ze": [1.0, 2.0, 3.0, 4.0] * 5, "y": ["no", "<yes>"] * 10}
    model = table.train_table(frame, "y", recipe=table.Recipe(hidden=(4,), epochs=2), verbose=0, seed=0)
    model.explain({"si<ze": [2.0]}).save_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "<th scope='row'>si&lt;ze</th>" in text
    assert "<th scope='row'>&lt;yes&gt;</th>" in text


@pytest.mark.parametrize(("count", "folded"), [(12, 0), (40, 1)])
def test_many_columns_are_folded(opened, tmp_path, count, folded):
    table = pytest.importorskip("fastdense.tabular")
    frame = {f"x{i}": np.arange(40.0) * (i + 1) % 7 for i in range(count)} | {"y": ["a", "b"] * 20}
    model = table.train_table(frame, "y", recipe=table.Recipe(hidden=(2,), epochs=1), verbose=0, seed=0)
    model.explain({f"x{i}": [1.0] for i in range(count)}).save_html(tmp_path / "page.html")
    with opened(tmp_path / "page.html") as page:
        names = page.get_by_role("rowheader", name="x3", exact=True)
        assert page.locator("section.current details").count() == folded
        assert names.is_visible() != bool(folded)
        if folded:
            page.get_by_text("The 40 columns by name").click()
            assert names.is_visible()


def test_where_it_is_saved(tmp_path, model):
    with pytest.raises(ValueError, match=r"page\.pdf: a page's name ends in \.html"):
        model.explain([1.0, 2.0]).save_html(tmp_path / "page.pdf")
    with pytest.raises(FileNotFoundError):
        model.explain([1.0, 2.0]).save_html(tmp_path / "nowhere" / "page.html")
