"""Checks that a dense layer's shapes fit, with errors that draw them and say what would help."""

from __future__ import annotations

from fastdense.errors import ShapeError

__all__ = ["check_bias", "check_inputs", "check_matrix"]

Shape = tuple[int, ...]


def check_matrix(name: str, shape: Shape) -> None:
    """Raise ShapeError unless the shape has two axes.

    Examples
    --------
    >>> check_matrix("A_in", (2,))
    Traceback (most recent call last):
    fastdense.errors.ShapeError: A_in has the shape (2,) and must have two axes, one example per row.
    To pass one example, reshape it to a row: A_in.reshape(1, -1).
    """
    if len(shape) == 2:
        return
    if name == "A_in":
        role, fix = "one example per row", "To pass one example, reshape it to a row: A_in.reshape(1, -1)."
    else:
        role, fix = "one unit per column", "To pass one unit, reshape it to a column: W.reshape(-1, 1)."
    raise ShapeError(f"{name} has the shape {shape} and must have two axes, {role}.\n{fix}")


def check_inputs(a_shape: Shape, w_shape: Shape) -> None:
    """Raise ShapeError unless ``A_in`` has as many columns as ``W`` has rows.

    Examples
    --------
    >>> check_inputs((1, 2), (3, 2))
    Traceback (most recent call last):
    fastdense.errors.ShapeError: A_in @ W needs as many columns in A_in as there are rows in W:
        A_in (1, 2) @ W (3, 2): 2 columns, 3 rows
    W holds one unit per column; if yours holds one unit per row, pass W.T.
    """
    if a_shape[1] == w_shape[0]:
        return
    if a_shape[1] == w_shape[1]:
        fix = "W holds one unit per column; if yours holds one unit per row, pass W.T."
    elif a_shape[0] == w_shape[0]:
        fix = "A_in holds one example per row; if yours holds one example per column, pass A_in.T."
    else:
        fix = f"Pass examples of {w_shape[0]} numbers, or a W with {a_shape[1]} rows."
    raise ShapeError(
        "A_in @ W needs as many columns in A_in as there are rows in W:\n"
        f"    A_in {a_shape} @ W {w_shape}: {a_shape[1]} columns, {w_shape[0]} rows\n{fix}"
    )


def check_bias(b_shape: Shape, w_shape: Shape) -> None:
    """Raise ShapeError unless ``B`` holds one number for each column of ``W``.

    Examples
    --------
    >>> check_bias((2,), (2, 3))
    Traceback (most recent call last):
    fastdense.errors.ShapeError: B needs one number for each column of W:
        W (2, 3), B (2,)
    Pass a B of the shape (3,) or (1, 3).
    """
    n_units = w_shape[1]
    if b_shape in ((n_units,), (1, n_units)):
        return
    raise ShapeError(
        f"B needs one number for each column of W:\n    W {w_shape}, B {b_shape}\n"
        f"Pass a B of the shape ({n_units},) or (1, {n_units})."
    )
