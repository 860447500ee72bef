"""What the README and the guides show runs as it stands, and prints or computes what they say."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastdense as fd
from tests.docs.pages import PAGES, ROOT, extension, need, text_of

pages = extension("pages")

# Pages whose blocks need a package without an import of their own: the command line, a format's.
NEEDS = {
    "README.md": ("typer", "polars", "onnx", "h5py"),
    "docs/formats.md": ("typer", "polars", "onnx", "h5py", "torch"),
    "docs/guides/keras.md": ("h5py",),
    "docs/guides/table.md": ("typer", "polars", "matplotlib"),
    "docs/guides/limits.md": ("typer",),
    "docs/vectorize.md": ("typer",),
}
README = text_of("README.md")


def customers(*paths):
    """Write tables of customers, with a column to predict."""
    rng = np.random.default_rng(0)
    for path in paths:
        months = rng.integers(1, 60, 80)
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["months", "plan", "churn"])
            writer.writerows((m, "basic" if m % 2 else "full", "yes" if m < 30 else "no") for m in months)


def flowers():
    """Return a small network of four inputs and three classes, its weights drawn."""
    return fd.Sequential([fd.Input((4,)), fd.Dense(8, "relu"), fd.Dense(3, "softmax")], seed=0)


def files_of_readme():
    """Write the files that the README's commands take for granted."""
    customers("customers.csv", "more.csv", "new.csv")
    flowers().save("model.safetensors")
    flowers().export("theirs.keras")


def files_of_formats():
    """Write models that came from elsewhere, and rows for them."""
    import torch

    flowers().save("model.safetensors")
    flowers().export("theirs.keras")
    flowers().export("theirs.onnx")
    torch.save(fd.to_torch(flowers()).state_dict(), "weights.pt")
    Path("rows.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n", encoding="utf-8")


def files_of_vectorize():
    """Write the source that the guide shows."""
    block = next(
        block for block in pages.blocks_of(text_of("docs/vectorize.md")) if block.language == "python"
    )
    Path("network.py").write_text(block.text, encoding="utf-8")


FILES = {
    "README.md": files_of_readme,
    "docs/formats.md": files_of_formats,
    "docs/vectorize.md": files_of_vectorize,
}


def check_readme(names, printed):
    """The model is saved, its bar was drawn, and the table's labels are those in the comment."""
    assert names["classifier"].score(*names["load_iris"](return_X_y=True)) > 0.9
    assert Path("quadrants.safetensors").exists()
    assert "Epoch 20/20" in printed
    predicted = names["predict_table"](names["model"], {"x": [0.3, 4.4]})
    np.testing.assert_allclose(predicted.probabilities.sum(1), 1, atol=1e-6)
    assert predicted.values == ["low", "high"]


def check_estimators(names, printed):
    """In float64 the fit is scikit-learn's."""
    ours, theirs = names["ours"], names["theirs"]
    np.testing.assert_allclose(ours.predict_proba(names["X"]), theirs.predict_proba(names["X"]), atol=1e-9)
    assert names["model"].validation_loss_curve_
    assert Path("digits.safetensors").exists()


def check_array_libraries(names, printed):
    """The library has differentiated the layer."""
    assert names["W"].grad.shape == (2, 3)
    assert names["A_out"].detach().numpy().round().tolist() == [[1.0, 0.0, 1.0]]


def check_formats(names, printed):
    """The files are there, and one was read back."""
    assert names["model"].input_shape == (None, 4)
    assert Path("iris.h").exists()


CHECKS = {
    "README.md": check_readme,
    "docs/estimators.md": check_estimators,
    "docs/array-libraries.md": check_array_libraries,
    "docs/formats.md": check_formats,
}


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Run the test in an empty folder, and set the threads back after it."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    fd.set_threads(None)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_from_top_to_bottom(page, in_folder):
    packages = pages.imported(text_of(page))
    need(*sorted(packages), *NEEDS.get(page, ()))
    FILES.get(page, lambda: None)()
    with warnings.catch_warnings():
        if "sklearn" in packages:
            from sklearn.exceptions import ConvergenceWarning

            warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs, to be quick
        names, printed = pages.run(ROOT / page)
    CHECKS.get(page, lambda *_: None)(names, "".join(filter(None, printed)))


def test_every_table_here_names_pages_that_there_are():
    assert {*NEEDS, *FILES, *CHECKS} <= set(PAGES)


def test_a_command_of_several_lines_is_one():
    text = "# first\nfastdense train a.csv \\\n    --target 'the label'   # then\n\nmake demo\n"
    assert list(pages.commands(text)) == [
        ["fastdense", "train", "a.csv", "--target", "the label"],
        ["make", "demo"],
    ]


def test_the_shape_error_is_drawn_as_shown():
    with pytest.raises(fd.errors.ShapeError) as caught:
        fd.dense(np.ones((4, 3)), np.ones((2, 5)))
    shown = f"ShapeError: {caught.value}"
    drawn = next(block.text for block in pages.blocks_of(README) if "≠" in block.text)
    assert drawn.strip() in shown


def test_the_guide_to_loops_shows_what_is_found():
    guide = text_of("docs/vectorize.md")
    source = next(block.text for block in pages.blocks_of(guide) if block.language == "python")
    found = str(fd.insight.vectorize(source, "network.py"))
    assert f"```\n{found}\n```" in guide
    assert found.partition("  taken to be:")[0] in README


def test_the_explanation_is_what_the_article_computes():
    model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "sigmoid")])
    model.set_weights([[[1.0, -3.0, 5.0], [-2.0, 4.0, -6.0]], [-1.0, 1.0, 2.0]])
    shown = str(model.explain([200.0, 17.0])).split("\n\n", 1)[1].partition("= 165\n")
    assert "".join(shown[:2]) in README
