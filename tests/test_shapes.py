"""The messages of a matrix product that does not exist: drawn exactly, with the fixes that apply."""

import pytest

from fastdense.core.shapes import check_product, draw_product
from fastdense.errors import ShapeError


def message(*args, **kwargs):
    with pytest.raises(ShapeError) as caught:
        check_product(*args, owner="dense", **kwargs)
    return str(caught.value)


def test_a_product_that_exists_is_drawn_with_an_equals_sign():
    assert draw_product("A", (7, 3), "B", (3, 1)) == (
        "       A               B\n"
        "  ┌─────────┐     ┌─────────┐\n"
        "7 │         │  3  │         │\n"
        "  └─────────┘     └─────────┘\n"
        "       3      =  3     1"
    )


def test_boxes_stay_aligned_for_counts_of_any_length():
    assert draw_product("A_in", (100_000, 784), "W", (25, 10)) == (
        "          A_in               W\n"
        "       ┌─────────┐      ┌─────────┐\n"
        "100000 │         │  25  │         │\n"
        "       └─────────┘      └─────────┘\n"
        "           784     ≠  25    10"
    )


def test_a_transposed_left_matrix():
    assert message("A_in", (3, 5), "W", (3, 2)) == (
        "dense: A_in has 5 columns but W has 3 rows\n"
        "     A_in              W\n"
        "  ┌─────────┐     ┌─────────┐\n"
        "3 │         │  3  │         │\n"
        "  └─────────┘     └─────────┘\n"
        "       5      ≠  3     2\n"
        "  fix: A_in looks transposed (one example per column): pass A_in.T"
    )


def test_a_transposed_right_matrix():
    assert message("A_in", (5, 3), "W", (2, 3)).endswith(
        "       3      ≠  2     3\n  fix: W looks transposed (one unit per row): pass W.T"
    )


def test_both_transposes_are_offered_where_either_would_do():
    text = message("A_in", (2, 3), "W", (2, 3))
    assert text.count("fix:") == 2
    assert text.index("A_in.T") < text.index("W.T")


def test_no_fix_is_offered_where_none_is_known():
    assert "fix" not in message("A_in", (4, 3), "W", (2, 5))


def test_what_the_owner_holds_is_not_called_transposed():
    text = message("X", (5, 3), "W", (2, 3), owned=True, fixes=["declare Input((3,))"])
    assert "W.T" not in text
    assert text.endswith("\n  fix: declare Input((3,))")


@pytest.mark.parametrize(
    ("shape", "kernel", "fix"),
    [
        ((3,), (3, 2), "\n  fix: one example is a row: pass X.reshape(1, -1)"),
        ((7,), (1, 2), "\n  fix: one column is a matrix too: pass X.reshape(-1, 1)"),
        ((7,), (3, 2), ""),
        ((), (3, 2), ""),
        ((6, 28, 28), (784, 2), "\n  fix: flatten each example to a row: pass X.reshape(len(X), -1)"),
    ],
)
def test_what_is_no_matrix_is_told_how_to_become_one(shape, kernel, fix):
    assert message("X", shape, "W", kernel) == (
        f"dense: X must be a matrix, one example per row, but has shape {shape}.{fix}"
    )


def test_a_right_side_that_is_no_matrix():
    assert message("X", (2, 3), "W", (3,)) == (
        "dense: W must be a matrix, one column per unit, but has shape (3,)"
    )


def test_a_product_that_exists_passes():
    check_product("A_in", (0, 3), "W", (3, 1), owner="dense")
    check_product("A_in", ("m", 3), "W", (3, 1), owner="dense")
