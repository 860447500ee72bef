"""The Python in the README and the guides runs as it stands, and the shape error is the one users see."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import fastdense as fd

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FENCED = README.read_text(encoding="utf-8").split("```")[1::2]
BLOCKS = [block.removeprefix("python\n") for block in FENCED if block.startswith("python\n")]


def test_every_python_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for package in ("onnx", "sklearn"):
        pytest.importorskip(package)
    assert len(BLOCKS) >= 4
    names = {}
    for block in BLOCKS:
        exec(compile(block, str(README), "exec"), names)
    assert names["classifier"].score(*names["load_iris"](return_X_y=True)) > 0.9
    assert (tmp_path / "quadrants.safetensors").exists()
    assert "Epoch 20/20" in capsys.readouterr().out
    predicted = names["predict_table"](names["model"], {"x": [0.3, 4.4]})
    np.testing.assert_allclose(predicted.probabilities.sum(1), 1, atol=1e-6)
    assert predicted.values == ["low", "high"]


def test_the_guide_for_users_of_scikit_learn(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    guide = ROOT / "docs" / "estimators.md"
    blocks = guide.read_text(encoding="utf-8").split("```python\n")[1:]
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in blocks:
            exec(compile(block.partition("```")[0], str(guide), "exec"), names)
    assert len(blocks) == 4
    ours, theirs = names["ours"], names["theirs"]
    np.testing.assert_allclose(ours.predict_proba(names["X"]), theirs.predict_proba(names["X"]), atol=1e-9)
    assert names["model"].validation_loss_curve_
    assert (tmp_path / "digits.safetensors").exists()


def test_the_guide_to_array_libraries():
    for package in ("torch", "array_api_compat"):
        pytest.importorskip(package)
    guide = ROOT / "docs" / "array-libraries.md"
    names = {}
    for block in guide.read_text(encoding="utf-8").split("```python\n")[1:]:
        exec(compile(block.partition("```")[0], str(guide), "exec"), names)
    assert names["W"].grad.shape == (2, 3)
    assert names["A_out"].detach().numpy().round().tolist() == [[1.0, 0.0, 1.0]]


def test_the_guide_to_formats(tmp_path, monkeypatch):
    for package in ("onnx", "h5py"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    guide = ROOT / "docs" / "formats.md"
    (block,) = guide.read_text(encoding="utf-8").split("```python\n")[1:]
    names = {}
    exec(compile(block.partition("```")[0], str(guide), "exec"), names)
    assert names["model"].input_shape == (None, 4)
    assert (tmp_path / "iris.h").exists()


def test_the_shape_error_is_drawn_as_shown():
    with pytest.raises(fd.errors.ShapeError) as caught:
        fd.dense(np.ones((4, 3)), np.ones((2, 5)))
    shown = f"ShapeError: {caught.value}"
    drawn = next(block for block in FENCED if "≠" in block)
    assert drawn.strip() in shown


def test_the_guide_to_loops_shows_what_is_found():
    guide = (ROOT / "docs" / "vectorize.md").read_text(encoding="utf-8")
    source = guide.split("```python\n")[1].partition("```")[0]
    found = str(fd.insight.vectorize(source, "network.py"))
    assert f"```\n{found}\n```" in guide
    assert found.partition("  taken to be:")[0] in README.read_text(encoding="utf-8")


def test_the_explanation_is_what_the_article_computes():
    model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "sigmoid")])
    model.set_weights([[[1.0, -3.0, 5.0], [-2.0, 4.0, -6.0]], [-1.0, 1.0, 2.0]])
    shown = str(model.explain([200.0, 17.0])).split("\n\n", 1)[1].partition("= 165\n")
    assert "".join(shown[:2]) in README.read_text(encoding="utf-8")
