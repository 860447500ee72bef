"""Shape errors that teach: the two matrices drawn side by side, with what disagrees and what would fix it."""

from __future__ import annotations

from collections.abc import Sequence

from fastdense.errors import ShapeError

__all__ = ["check_product", "draw_product"]

Shape = Sequence[int | str]
"""Sizes, or a letter for a size that can be any."""

_INNER = 9


def draw_product(left: str, left_shape: Shape, right: str, right_shape: Shape) -> str:
    """Return a drawing of the matrix product ``left @ right``.

    Rows are counted at the left of each box and columns below it; the two counts that must agree, the
    columns of the one and the rows of the other, are compared between the boxes.

    Examples
    --------
    >>> print(draw_product("A_in", (4, 3), "W", (2, 5)))
         A_in              W
      ┌─────────┐     ┌─────────┐
    4 │         │  2  │         │
      └─────────┘     └─────────┘
           3      ≠  2     5
    """
    (m, k), (n, u) = left_shape, right_shape
    rows, middle = f"{m} ", f"  {n} "
    sign = f" {'=' if k == n else '≠'}  {n}".ljust(len(middle))
    bar, space = "─" * _INNER, " " * _INNER
    table = [
        ("", f"{left:^{_INNER + 2}}", "", f"{right:^{_INNER + 2}}"),
        ("", f"┌{bar}┐", "", f"┌{bar}┐"),
        (rows, f"│{space}│", middle, f"│{space}│"),
        ("", f"└{bar}┘", "", f"└{bar}┘"),
        ("", f"{k:^{_INNER + 2}}", sign, f"{u:^{_INNER + 2}}"),
    ]
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    lines = ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in lines)


def check_product(
    left: str,
    left_shape: Shape,
    right: str,
    right_shape: Shape,
    *,
    owner: str,
    owned: bool = False,
    fixes: Sequence[str] = (),
) -> None:
    """Raise ShapeError unless ``left @ right`` is a product of two matrices.

    Parameters
    ----------
    left, right : str
        What the caller calls the two.
    left_shape, right_shape : sequence of int or str
    owner : str
        Who multiplies, for the first line of the message.
    owned : bool
        ``right`` is the owner's, so the caller cannot have passed it transposed.
    fixes : sequence of str
        What would also mend it, besides the transposes and reshapes found here.
    """
    left_shape, right_shape = tuple(left_shape), tuple(right_shape)
    if len(right_shape) != 2:
        raise ShapeError(
            f"{owner}: {right} must be a matrix, one column per unit, but has shape {right_shape}"
        )
    n = right_shape[0]
    if len(left_shape) != 2:
        raise ShapeError(f"{owner}: {left} must be a matrix, one example per row, but has shape {left_shape}."
                         + _reshape_advice(left, left_shape, n))  # fmt: skip
    if left_shape[1] == n:
        return
    problem = f"{owner}: {left} has {left_shape[1]} columns but {right} has {n} rows"
    found = [*fixes]
    if not owned and left_shape[1] == right_shape[1]:
        found.insert(0, f"{right} looks transposed (one unit per row): pass {right}.T")
    if left_shape[0] == n:
        found.insert(0, f"{left} looks transposed (one example per column): pass {left}.T")
    drawing = draw_product(left, left_shape, right, right_shape)
    raise ShapeError("\n".join([problem, drawing, *(f"  fix: {fix}" for fix in found)]))


def _reshape_advice(left: str, shape: Shape, n: int | str) -> str:
    if len(shape) == 1 and shape[0] == n:
        return f"\n  fix: one example is a row: pass {left}.reshape(1, -1)"
    if len(shape) == 1 and n == 1:
        return f"\n  fix: one column is a matrix too: pass {left}.reshape(-1, 1)"
    if len(shape) > 2:
        return f"\n  fix: flatten each example to a row: pass {left}.reshape(len({left}), -1)"
    return ""
