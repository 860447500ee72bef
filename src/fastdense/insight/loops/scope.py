"""What names stand for inside a loop, and what has been learned about arrays on the way."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from fastdense.insight.loops.lifted import OWN, Axis, Lifted, Stuck
from fastdense.insight.loops.trees import parse, texts_in

__all__ = ["Scope", "arange", "bind"]


@dataclass
class Scope:
    """Of one outermost loop.

    Attributes
    ----------
    numpy : str
        The name that the file imports NumPy by.
    functions : dict of str to ast.FunctionDef
        Those of the file.
    multiplying : set of str
        Those of them that may be called with all rows instead of one.
    assigned : set of str
        The names that the loop assigns anywhere.
    values : dict of str to Lifted
        Names that were assigned in this turn, or stand for an element.
    indices : dict of str to Axis
        The variables of loops over numbers.
    stored : dict of str to set of str
        The arrays that the loop writes to, with the places as they are written.
    ranks : dict of str to int
        The number of axes of an array, if an expression shows it.
    shapes : dict of str to tuple of Axis
        What is known of an array's shape.
    over : dict of Axis to str
        What a loop goes over, in words.
    does : list of str
        What is done in each turn, in words.
    lengths : set of str
        The names that the file gives arrays' lengths to.
    scalars : set of str
        The names that are numbers as the loop begins.
    notes : list of str
        What must hold for the replacement to be the same.
    """

    numpy: str
    functions: dict[str, ast.FunctionDef]
    multiplying: set[str]
    assigned: set[str] = field(default_factory=set)
    values: dict[str, Lifted] = field(default_factory=dict)
    indices: dict[str, Axis] = field(default_factory=dict)
    stored: dict[str, set[str]] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    over: dict[Axis, str] = field(default_factory=dict)
    does: list[str] = field(default_factory=list)
    lengths: set[str] = field(default_factory=set)
    scalars: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def depends(self, node: ast.AST) -> bool:
        """Return True if an expression may have another value in each turn."""
        return not texts_in(node).isdisjoint(
            self.assigned | set(self.values) | set(self.indices) | set(self.stored)
        )

    def element(self, base: ast.expr, axis: Axis) -> Lifted:
        """Return what a loop over an array's elements gives in a turn."""
        if self.depends(base):
            value = self.values.get(base.id) if isinstance(base, ast.Name) else None
            if value is None or not value.may_be_vector:
                raise Stuck(f"it goes over {ast.unparse(base)}, which changes on the way")
            if isinstance(value.node, ast.Name) and value.open:
                self.learn(value.node, (*value.axes, OWN))
            return value.each(axis)
        _refuse_no_array(base, self)
        rank = self.ranks.get(ast.unparse(base))
        self.over.setdefault(axis, f"the elements of {ast.unparse(base)}")
        self.learn(base, (axis, OWN) if rank == 2 else (axis,))
        return Lifted(base, (axis, OWN) if rank == 2 else (axis,), open=rank is None)

    def learn(self, base: ast.expr, axes: tuple[Axis, ...]) -> None:
        """Keep what is known of an array's shape."""
        known = self.shapes.get(ast.unparse(base), ())
        if len(axes) >= len(known):
            self.shapes[ast.unparse(base)] = axes
        if len(axes) > 1:
            self.ranks[ast.unparse(base)] = len(axes)

    def remark(self, note: str) -> None:
        """Keep a note, once."""
        if note not in self.notes:
            self.notes.append(note)


def bind(target: ast.expr, sequence: ast.expr, depth: int, scope: Scope) -> Axis:
    """Give the names of a loop's head their meaning in each turn; return the axis that the turns make."""
    axis = Axis(ast.unparse(target), depth, _size(sequence, scope))
    _bind(target, sequence, axis, scope)
    return axis


def _bind(target: ast.expr, sequence: ast.expr, axis: Axis, scope: Scope) -> None:
    match sequence, target:
        case ast.Call(ast.Name("range"), _), ast.Name(name):
            scope.values.pop(name, None)
            scope.indices[name] = axis
        case ast.Call(ast.Name("enumerate"), [inner]), ast.Tuple([ast.Name(name), element]):
            scope.indices[name] = axis
            _bind(element, inner, axis, scope)
        case ast.Call(ast.Name("zip"), sequences), ast.Tuple(targets) if len(sequences) == len(targets):
            if any(isinstance(sequence, ast.Subscript) for sequence in sequences):
                raise Stuck(f"it goes over {ast.unparse(sequence)}, which may be of several lengths")
            for one, own in zip(sequences, targets, strict=True):
                _bind(own, one, axis, scope)
        case ast.Call(ast.Name("range" | "enumerate" | "zip" | "reversed")), _:
            raise Stuck(f"it goes over {ast.unparse(sequence)}")
        case _, ast.Name(name):
            scope.indices.pop(name, None)
            scope.values[name] = scope.element(sequence, axis)
        case _:
            raise Stuck(f"it takes the elements of {ast.unparse(sequence)} apart")


def _size(sequence: ast.expr, scope: Scope) -> str:
    """Return how many turns a loop has."""
    match sequence:
        case ast.Call(ast.Name("range"), [stop]) | ast.Call(ast.Name("range"), [ast.Constant(0), stop]):
            return _count(stop, scope)
        case ast.Call(ast.Name("range")):
            raise Stuck(f"it goes over {ast.unparse(sequence)}, not from 0 on by one")
        case ast.Call(ast.Name("enumerate" | "zip"), [first, *_]):
            return _size(first, scope)
    return _count(ast.Call(ast.Name("len"), [sequence], []), scope)


def _count(stop: ast.expr, scope: Scope) -> str:
    """Return a number of turns as the source says it; of a row's or a column's length only "n"."""
    if not scope.depends(stop):
        if not _is_length(stop):
            raise Stuck(f"it goes over range({ast.unparse(stop)}), which may end before its arrays do")
        if isinstance(stop, ast.Constant) or (isinstance(stop, ast.Name) and stop.id not in scope.lengths):
            scope.remark(f"{ast.unparse(stop)} must be the length of the arrays")
        return ast.unparse(stop)
    match stop:
        case ast.Call(ast.Name("len"), [ast.Name(name)]) if name in scope.values:
            return OWN.size
        case ast.Call(ast.Name("len"), [ast.Name(name)]) | ast.Subscript(
            ast.Attribute(ast.Name(name), "shape"), ast.Constant()
        ) if name in scope.stored and name not in scope.assigned:
            return ast.unparse(stop)
        case ast.Call(ast.Name("len"), [ast.Subscript(base)]) if not scope.depends(base):
            return OWN.size
    raise Stuck(f"its number of turns, {ast.unparse(stop)}, changes on the way")


def _is_length(stop: ast.expr) -> bool:
    """Return True if a loop's end is an array's: by its form, or assumed of a name or number."""
    match stop:
        case ast.Name() | ast.Attribute() | ast.Constant() | ast.Call(ast.Name("len")):
            return True
        case ast.Subscript(ast.Attribute(_, "shape")):
            return True
    return False


def _refuse_no_array(base: ast.expr, scope: Scope) -> None:
    """Refuse to go over what a call returns, unless it surely is an array."""
    for inner in ast.walk(base):
        if isinstance(inner, ast.Call):
            method = inner.func.attr if isinstance(inner.func, ast.Attribute) else ""
            of_array = method in ("ravel", "flatten", "reshape")
            if not of_array and not ast.unparse(inner.func).startswith(f"{scope.numpy}."):
                raise Stuck(f"it goes over {ast.unparse(base)[:60]}, which may be no array")


def arange(axis: Axis, scope: Scope) -> Lifted:
    """Return a loop's own numbers."""
    if axis.size == OWN.size:
        raise Stuck(f"it computes with {axis.name}, whose end is not known")
    return Lifted(parse(f"{scope.numpy}.arange({axis.size})"), (axis,))
