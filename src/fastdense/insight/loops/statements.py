"""A loop's statements, for all its turns at once."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastdense.insight.loops.expressions import lift
from fastdense.insight.loops.lifted import OWN, Axis, Lifted, Stuck, calculated, reordered, total
from fastdense.insight.loops.scope import Scope, bind
from fastdense.insight.loops.trees import indices, names_in, place, put, subscript, texts_in

_CHANGES = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}

__all__ = ["Definition", "Result", "is_view", "results", "stored_places"]


@dataclass(frozen=True)
class Definition:
    """A name that a loop's body gives to something on the way."""

    name: str
    value: ast.expr


@dataclass(frozen=True)
class Result:
    """What a loop leaves behind.

    Attributes
    ----------
    target : ast.expr
        The name or the slice that receives it.
    name : str
        The array or number that the target is part of.
    value : ast.expr
    how : {"=", "append", "+=", "-=", "*=", "/="}
    whole : bool
        Whether the value is all of the array, so that nothing need be there before.
    rank : int
        The number of axes of the array, as its indices show; 0 if it has none.
    """

    target: ast.expr
    name: str
    value: ast.expr
    how: str
    whole: bool = True
    rank: int = 0


def stored_places(loop: ast.AST) -> dict[str, set[str]]:
    """Return the arrays that statements within a loop write to, with the indices as they are written."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(loop):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else targets
        for target in targets:
            if isinstance(target, ast.Subscript):
                base, items = indices(target)
                found.setdefault(ast.unparse(base), set()).add(place(items))
    return found


def results(loop: ast.For, scope: Scope) -> list[Definition | Result]:
    """Return what an outermost loop leaves behind, computed on whole arrays, after what is needed for it.

    Raises
    ------
    Stuck
        It does something that whole arrays do not do.
    """
    reader = _Reader(scope)
    reader.loop(loop)
    if not any(isinstance(found, Result) for found in reader.found):
        raise Stuck("it leaves nothing behind that whole arrays could")
    return simplified(reader.found)


def simplified(found: list[Definition | Result]) -> list[Definition | Result]:
    """Return the same without names that are used once, whose value stands in that place, or never."""
    for i, definition in enumerate(found):
        later = found[i + 1 :]
        uses = sum(name == definition.name for each in later for name in names_in(each.value))
        if isinstance(definition, Definition) and uses < 2:
            return simplified(found[:i] + [_put(each, definition) for each in later])
    return found


def _put(each: Definition | Result, definition: Definition) -> Definition | Result:
    """Return a definition or result with the value of an earlier one in the place of its name."""

    def instead(node: ast.AST) -> ast.expr | None:
        return definition.value if isinstance(node, ast.Name) and node.id == definition.name else None

    return replace(each, value=put(each.value, instead))


class _Reader:
    """Reads statements in their order."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.axes: list[Axis] = []
        self.before: list[set[str]] = []  # the names that have a value as each loop begins
        self.lists: dict[str, int] = {}  # made in a turn, with the number of loops around
        self.found: list[Definition | Result] = []

    def loop(self, node: ast.For) -> None:
        """Read a loop and all in it."""
        if node.orelse:
            raise Stuck("it has an else")
        self.before.append(set(self.scope.values))
        self.axes.append(bind(node.target, node.iter, len(self.axes), self.scope))
        for statement in node.body:
            self.statement(statement)
        axis = self.axes.pop()
        self.before.pop()
        last = [name for name, value in self.scope.values.items() if axis in value.axes]
        for name in last:  # the last turn's, which nothing may need now
            del self.scope.values[name]

    def statement(self, node: ast.stmt) -> None:
        """Read a statement."""
        match node:
            case ast.For():
                self.loop(node)
            case ast.If():
                self.statement(_as_choice(node))
            case ast.Assign([target], value) | ast.AnnAssign(target, _, ast.expr() as value):
                self.assign(target, value)
            case ast.AugAssign(target, operator, value):
                self.augment(target, operator, value)
            case ast.Expr(value):
                self.expression(value)
            case ast.Pass():
                pass
            case _:
                raise Stuck(f"it has a {type(node).__name__.lower()}")

    def expression(self, node: ast.expr) -> None:
        """Read a statement that is an expression: an element that is appended, or a docstring."""
        match node:
            case ast.Call(ast.Attribute(ast.Name(name), "append"), [value], []):
                self.append(name, value)
            case ast.Call(function):
                raise Stuck(f"it calls {ast.unparse(function)}")
            case ast.Constant():
                pass
            case _:
                raise Stuck(f"it has {ast.unparse(node)[:60]}")

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Read ``target = value``."""
        match target, value:
            case ast.Tuple(targets), ast.Tuple(values) if len(targets) == len(values):
                if any(isinstance(each, ast.Subscript) for each in targets):
                    raise Stuck(f"it fills {ast.unparse(target)} at once")
                lifted = [lift(each, self.scope) for each in values]
                for each, one in zip(targets, lifted, strict=True):
                    self.put(each, one)
            case ast.Name(name), ast.List([]) | ast.Call(ast.Name("list"), [], []):
                self.lists[name] = len(self.axes)
            case _:
                self.put(target, lift(value, self.scope))

    def put(self, target: ast.expr, value: Lifted) -> None:
        """Read the assignment of a value."""
        match target:
            case ast.Name(name):
                if name in self.before[-1]:
                    raise Stuck(f"a turn needs what the one before it made of {name}")
                self.define(name, value)
            case ast.Subscript():
                self.store(target, value, "=")
            case _:
                raise Stuck(f"it assigns to {ast.unparse(target)}")

    def define(self, name: str, value: Lifted) -> None:
        """Let a name stand for a value: of what takes more than a name, by itself."""
        if not isinstance(value.node, ast.Name | ast.Constant | ast.Attribute):
            own = self.free(name)
            self.found.append(Definition(own, value.node))
            value = replace(value, node=ast.Name(own, ast.Load()))
        self.scope.values[name] = value

    def free(self, name: str) -> str:
        """Return a name for a definition: another each time, since values made of earlier ones stay."""
        used = {found.name for found in self.found}
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        if name not in used:
            return name
        return next(other for other in numbered if other not in used | self.scope.assigned)

    def augment(self, target: ast.expr, operator: ast.operator, value: ast.expr) -> None:
        """Read ``target += value``: a sum over the turns, where what is added to was there before them."""
        lifted = lift(value, self.scope)
        if isinstance(target, ast.Subscript):
            if type(operator) not in _CHANGES:
                raise Stuck(f"it changes {ast.unparse(target)} on the way")
            self.store(target, lifted, _CHANGES[type(operator)])
            return
        if not isinstance(target, ast.Name):
            raise Stuck(f"it changes {ast.unparse(target)} on the way")
        name, known = target.id, self.scope.values
        if name in known and name not in self.before[-1]:
            if is_view(known[name].node) and known[name].may_be_vector:
                raise Stuck(f"it changes {name}, which is a part of an array")
            self.define(name, calculated(known[name], operator, lifted))
            return
        if not isinstance(operator, ast.Add | ast.Sub):
            raise Stuck(f"a turn needs what the one before it made of {name}")
        if name in known:
            to_number = isinstance(known[name].node, ast.Constant)
            self.define(name, _joined(known[name], operator, self._total(lifted, [self.axes[-1]], to_number)))
            return
        value_of_all = self._total(lifted, self.axes, name in self.scope.scalars)
        self.found.append(
            Result(target, name, value_of_all.node, "+=" if isinstance(operator, ast.Add) else "-=")
        )

    def _total(self, value: Lifted, axes: Sequence[Axis], to_number: bool) -> Lifted:
        """Return a sum over loops' turns."""
        products = len([factor for factor in value.factors if axes[-1] in factor.axes]) == 2
        self.scope.does.append(
            "a product and a sum, number by number" if products else "a sum, number by number"
        )
        for axis in reversed(axes):
            value = total(value, axis, self.scope.numpy, to_number)
            if len(axes) < len(self.axes):
                self.scope.over.pop(axis, None)  # the outer loops say what it is about
        return value

    def append(self, name: str, element: ast.expr) -> None:
        """Read ``name.append(element)``."""
        depth, axis = self.lists.get(name, 0), self.axes[-1]
        if depth != len(self.axes) - 1:
            raise Stuck(f"it appends to {name} from loops within loops")
        value = lift(element, self.scope)
        if axis not in value.axes:
            raise Stuck(f"it appends the same to {name} in every turn")
        self.scope.does.append("appended one by one")
        if depth:
            if OWN in value.axes:
                raise Stuck("it makes lists within lists")
            self.scope.values[name] = value.along(axis, OWN)
            return
        order = tuple(sorted(value.axes, key=lambda own: own.depth))
        self.found.append(Result(ast.Name(name, ast.Store()), name, reordered(value, order).node, "append"))

    def store(self, target: ast.Subscript, value: Lifted, how: str) -> None:
        """Read ``target = value`` of an element, a row or a column."""
        base, items = indices(target)
        axes = [self._axis(item, target) for item in items]
        wanted = tuple(axis for axis in axes if axis is not None)
        if how in ("+=", "-="):
            for axis in [axis for axis in self.axes if axis not in wanted]:
                value = self._total(value, [axis], to_number=True)
        is_of_rows = value.open and len(items) == 2 and ast.unparse(items[1]) == "0"
        if is_of_rows:  # p[i, 0] = f(X[i]): all rows give one column
            items, axes = items[:1], axes[:1]
        if set(value.turns) - set(wanted) or (how not in ("+=", "-=") and set(self.axes) - set(wanted)):
            raise Stuck(f"it fills {ast.unparse(target)} again and again")
        if OWN in value.axes and OWN not in wanted:
            wanted = (*wanted, OWN)
        text = ast.unparse(base)
        if how != "=" and self.scope.ranks.get(text, 0) > len(items) and OWN not in value.axes:
            raise Stuck(f"it changes whole rows of {text} by one number each")
        has = tuple(axis for axis in wanted if axis in value.axes)
        value = reordered(value, has)
        whole = has == wanted or has == tuple(a for a in wanted if a is not OWN)
        kept = [ast.Slice() if axis is not None else item for axis, item in zip(axes, items, strict=True)]
        whole = whole and None not in axes
        if not whole and wanted[len(wanted) - len(has) :] != has:
            raise Stuck(f"it fills {ast.unparse(target)} with the same in every turn")
        into = base if whole else subscript(base, kept)
        self.found.append(Result(into, text, value.node, how, whole, len(wanted)))
        self._forget(text)

    def _forget(self, base: str) -> None:
        """Forget the names of what an array held before it was changed."""
        old = {base}
        for each in self.found[:-1]:
            if isinstance(each, Definition) and not old.isdisjoint(texts_in(each.value)):
                old.add(each.name)
        for name, value in list(self.scope.values.items()):
            if not old.isdisjoint(texts_in(value.node)):
                del self.scope.values[name]

    def _axis(self, item: ast.expr, target: ast.expr) -> Axis | None:
        match item:
            case ast.Name(name) if name in self.scope.indices:
                return self.scope.indices[name]
            case ast.Slice(None, None, None):
                return OWN
        if self.scope.depends(item) or isinstance(item, ast.Slice):
            raise Stuck(f"it fills {ast.unparse(target)}")
        return None


def is_view(value: ast.expr) -> bool:
    """Return True if an expression is an array that has a name, or a part of one."""
    while isinstance(value, ast.Attribute | ast.Subscript):
        value = value.value
    return isinstance(value, ast.Name)


def _joined(before: Lifted, operator: ast.operator, sum_: Lifted) -> Lifted:
    """Return what was there before, a zero left out, and the sum."""
    if isinstance(operator, ast.Sub):
        return calculated(before, operator, sum_)
    if isinstance(before.node, ast.Constant) and before.node.value == 0:
        return sum_
    return calculated(sum_, ast.Add(), before)


def _as_choice(node: ast.If) -> ast.stmt:
    """Return an if of one assignment, or of one in each branch to the same target, as that of a choice."""
    if len(node.body) != 1 or len(node.orelse) > 1:
        raise Stuck("it has an if of several statements")
    body = node.body[0]
    orelse = node.orelse[0] if node.orelse else None
    orelse = _as_choice(orelse) if isinstance(orelse, ast.If) else orelse
    match body, orelse:
        case ast.Assign([target], value), ast.Assign([other], instead):
            if ast.unparse(target) == ast.unparse(other):
                return ast.Assign([target], ast.IfExp(node.test, value, instead))
        case ast.Assign([target], value), None:
            return ast.Assign([target], ast.IfExp(node.test, value, _loaded(target)))
        case ast.AugAssign(target, operator, value), None:
            return ast.AugAssign(target, operator, ast.IfExp(node.test, value, ast.Constant(0)))
        case ast.Expr(ast.Call(function, [value], [])), ast.Expr(ast.Call(other, [instead], [])):
            if ast.unparse(function) == ast.unparse(other):
                return ast.Expr(ast.Call(function, [ast.IfExp(node.test, value, instead)], []))
    raise Stuck("it has an if that is not a choice between two values")


def _loaded(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body
