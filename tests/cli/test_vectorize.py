"""`fastdense vectorize` at the command line."""

from __future__ import annotations

import pytest

from tests.cli.test_cli import call, mistake

SOURCE = """import numpy as np

def dense(a_in, W, b):
    a_out = np.zeros(len(b))
    for j in range(len(b)):
        a_out[j] = np.tanh(np.dot(W[:, j], a_in) + b[j])
    return a_out
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "net.py").write_text(SOURCE)
    return tmp_path / "net.py"


def test_the_loop_is_shown_with_what_replaces_it(path, capsys):
    assert call(f"vectorize {path}") == 0
    out = capsys.readouterr().out
    assert f"{path}:5: a loop over the columns of W, a dot product each" in out
    assert "    a_out = np.tanh(a_in @ W + b)\n" in out


def test_the_changes_are_a_patch(path, capsys, tmp_path):
    assert call(f"vectorize {path} --diff") == 0
    patch = capsys.readouterr().out
    assert "-    for j in range(len(b)):\n" in patch
    assert "+    a_out = np.tanh(a_in @ W + b)\n" in patch
    assert path.read_text() == SOURCE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"def f(:\n    pass\n", "line 1: not Python: invalid syntax"),
        (b"# coding: utf-9\n", "not Python that can be read: unknown encoding"),
        (b"x = '\xff'\n", "not Python that can be read: "),
        (b"\0", "not Python"),
        (b"#" * (2**22 + 1), "4,194,305 bytes are too many to look through"),
        (b"#" * (2**20 + 1), "1,048,577 characters are too many"),
    ],
)
def test_what_is_no_python(path, content, words):
    path.write_bytes(content)
    assert words in mistake(f"vectorize {path}")


def test_what_is_not_there(tmp_path):
    file = f"{tmp_path}/none.py"
    assert mistake(f"vectorize {file}") == f"fastdense: {file}: no such file or directory"
    assert mistake(f"vectorize {tmp_path}") == f"fastdense: {tmp_path}: is a directory"


def test_nothing_is_run(path, tmp_path):
    path.write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\n" + SOURCE)
    assert call(f"vectorize {path}") == 0
    assert not (tmp_path / "touched").exists()
