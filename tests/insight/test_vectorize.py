"""Loops in source that whole arrays replace: what is found, that it computes the same, what is left alone."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from fastdense.insight.loops import vectorize
from tests.compare import assert_within
from tests.insight.vectorize_cases import CASES, DATA, NAMESPACE
from tests.insight.vectorize_kept import KEPT, OTHERS
from tests.insight.vectorize_programs import Programs

IMPORT = "import numpy as np"  # in the first line, which the cases leave free


def run(source):
    namespace = dict(NAMESPACE)
    exec(compile(source, "case", "exec"), namespace)
    function = namespace["f"]
    arguments = {name: DATA[name].copy() for name in inspect.signature(function).parameters}
    return np.asarray(function(**arguments), np.float64)


@pytest.mark.parametrize("name", CASES)
def test_what_replaces_a_loop_computes_the_same(name):
    source, expected = CASES[name]
    report = vectorize(IMPORT + source)
    assert [finding.after for finding in report.findings] == ([] if expected is None else [expected])
    assert_within(run(report.rewritten()), run(source), 1e-12)


@pytest.mark.parametrize("name", KEPT)
def test_loops_that_stay_are_said_why(name):
    source, line, why = KEPT[name]
    report = vectorize(IMPORT + source)
    assert not report.findings
    assert (report.kept[0].line, report.kept[0].why) == (line, why)
    assert f"line {line} stays a loop: {why}" in str(report)
    assert report.rewritten() == IMPORT + source


def test_loops_that_compute_nothing_are_not_mentioned():
    report = vectorize(OTHERS)
    assert (report.findings, report.kept) == ((), ())
    assert "no loop here that whole arrays would replace" in str(report)


def test_the_text_of_a_finding():
    source = """
import numpy
from math import exp

def g(z):
    return max(0, z)

def layer(x, W, b):
    a = []
    for j in range(W.shape[1]):
        a.append(g(numpy.dot(W[:, j], x) + b[j]))
    return a
"""
    report = vectorize(source, "net.py")
    assert (
        str(report)
        == """\
net.py:10: a loop over the columns of W, a dot product each, appended one by one
    for j in range(W.shape[1]):
        a.append(g(numpy.dot(W[:, j], x) + b[j]))
  all at once (and line 9):
    a = g(x @ W + b)
  taken to be: W (n, W.shape[1]); b (W.shape[1],)
  note: g takes one number at a time, for it uses max: write numpy.maximum there
  note: a is an array then, and no list"""
    )


def test_a_matrix_that_is_indexed_by_rows_has_the_shape_of_a_matrix():
    source = "import numpy as np\nfor i in range(len(X)):\n    y[i] = np.dot(X[i], w) + b"
    (finding,) = vectorize(source).findings
    assert finding.what == "a loop over the rows of X, a dot product each"
    assert finding.shapes == ("X (len(X), n)",)


def test_matrices_whose_rows_are_compared_have_the_shapes_of_matrices():
    source = """
import numpy as np
for i in range(len(X)):
    for k in range(len(C)):
        D[i, k] = np.sum((X[i] - C[k]) ** 2)
"""
    (finding,) = vectorize(source).findings
    assert finding.what.startswith("a loop over the rows of X and the rows of C")
    assert finding.shapes == ("X (len(X), n)", "C (len(C), n)")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("for i in range(3)\n    pass", r"net.py, line 1: not Python: expected ':': for i in range\(3\)"),
        ("x = \0", "net.py.*not Python"),
        ("x = " + "(" * 10**5, "net.py.*not Python"),
        ("#" * (2**20 + 1), "net.py: 1,048,577 characters are too many to look through"),
    ],
)
def test_what_is_no_python_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        vectorize(source, "net.py")


def test_random_loops_compute_the_same():
    found = 0
    for seed in range(400):
        source = f"{IMPORT}\n{Programs(seed).program()}"
        report = vectorize(source)
        found += bool(report.findings)
        try:
            assert_within(run(report.rewritten()), run(source), 1e-9)
        except Exception as error:
            raise AssertionError(f"{source}\nbecame\n{report.rewritten()}") from error
    assert found > 250
