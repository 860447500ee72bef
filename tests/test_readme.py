"""The README's Python runs as it stands, and its shape error is the one that users see."""

from pathlib import Path

import numpy as np
import pytest

import fastdense as fd

README = Path(__file__).parents[1] / "README.md"
FENCED = README.read_text(encoding="utf-8").split("```")[1::2]
BLOCKS = [block.removeprefix("python\n") for block in FENCED if block.startswith("python\n")]


def test_every_python_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) >= 4
    names = {}
    for block in BLOCKS:
        exec(compile(block, str(README), "exec"), names)
    assert (tmp_path / "quadrants.safetensors").exists()
    assert "Epoch 20/20" in capsys.readouterr().out
    np.testing.assert_allclose(
        names["predict_table"](names["model"], {"x": [0.3, 4.4]}).probabilities.sum(1), 1
    )
    assert names["predict_table"](names["model"], {"x": [0.3, 4.4]}).values == ["low", "high"]


def test_the_shape_error_is_drawn_as_shown():
    with pytest.raises(fd.errors.ShapeError) as caught:
        fd.dense(np.ones((4, 3)), np.ones((2, 5)))
    shown = f"ShapeError: {caught.value}"
    drawn = next(block for block in FENCED if "≠" in block)
    assert drawn.strip() in shown
