"""The loops of a source file that are one operation on whole arrays, with what replaces each."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from fastdense.insight.loops.evidence import Evidence
from fastdense.insight.loops.expressions import lift
from fastdense.insight.loops.lifted import Stuck
from fastdense.insight.loops.makers import adds_up, is_number, maker, makes_room, refuse_other_containers
from fastdense.insight.loops.report import Finding, Kept, Report
from fastdense.insight.loops.scope import Scope
from fastdense.insight.loops.source import lengths_in, numpy_name, read
from fastdense.insight.loops.statements import Definition, Result, is_view, results, stored_places
from fastdense.insight.loops.trees import assigned_names, names_in, parse, put
from fastdense.insight.loops.uses import first_use, surely_assigned
from fastdense.insight.loops.wording import described, shape_lines

__all__ = ["vectorize"]


def vectorize(source: str, name: str = "source") -> Report:
    """Find the loops in Python source that NumPy does at once, and write the statements that do.

    The source is read and never run.

    Parameters
    ----------
    source : str
    name : str
        Of the file, for messages.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        It is not Python, or too long; the message names the line.

    Examples
    --------
    >>> print(vectorize('''
    ... import numpy as np
    ... def dense(a_in, W, b):
    ...     units = W.shape[1]
    ...     a_out = np.zeros(units)
    ...     for j in range(units):
    ...         w = W[:, j]
    ...         z = np.dot(w, a_in) + b[j]
    ...         a_out[j] = 1 / (1 + np.exp(-z))
    ...     return a_out
    ... ''').findings[0].after)
    a_out = 1 / (1 + np.exp(-(a_in @ W + b)))
    """
    tree = read(source, name)
    finder = _Finder(source.splitlines(), tree)
    finder.block(tree.body, ())
    return Report(name, tuple(finder.findings), tuple(finder.kept), source)


class _Finder:
    """Goes through a file's blocks of statements, from outer loops to inner ones."""

    def __init__(self, lines: list[str], tree: ast.Module) -> None:
        self.lines = lines
        self.numpy = numpy_name(tree)
        self.functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        self.lengths = lengths_in(tree)
        self.evidence = Evidence(tree, self.functions, self.numpy)
        self.findings: list[Finding] = []
        self.kept: list[Kept] = []

    def block(self, statements: Sequence[ast.stmt], after: Sequence[ast.stmt]) -> None:
        """Read a block; ``after`` is what its function does behind it."""
        for i, statement in enumerate(statements):
            rest = (*statements[i + 1 :], *after)
            if isinstance(statement, ast.For) and self.loop(statement, statements[:i], rest):
                continue
            blocks = [getattr(statement, name, ()) for name in ("body", "orelse", "finalbody")]
            blocks += [part.body for name in ("handlers", "cases") for part in getattr(statement, name, ())]
            for block in blocks:
                self.block(block, _after_block(statement, rest))
            if not any(blocks):
                self.expressions(statement)

    def scope(self) -> Scope:
        """Return the scope of a loop that has not been read yet."""
        return Scope(self.numpy, self.functions, self.evidence.multiplying, lengths=self.lengths)

    def loop(self, loop: ast.For, before: Sequence[ast.stmt], after: Sequence[ast.stmt]) -> bool:
        """Read an outermost loop; return whether it can be replaced."""
        if not (self.evidence.is_numeric(loop) or adds_up(loop, before)):
            return False
        try:
            self._refuse_shared_lines(loop)
            scalars = {name for name in assigned_names(loop) if is_number(maker(name, before))}
            found, scope = _read(loop, lambda: replace(self.scope(), scalars=scalars))
            self._refuse_needed(loop, found, after)
            refuse_other_containers(found, before, after)
        except Stuck as error:
            self.keep(loop, error)
            return False
        firsts = {each.name: each for each in reversed(found) if isinstance(each, Result)}
        mentioned = {name for each in found for name in names_in(each.value)}
        mentioned |= {name for axis in scope.over for name in names_in(parse(axis.size))}
        made = {
            name: made
            for name, first in firsts.items()
            if first.whole
            and name not in mentioned
            and (made := maker(name, before))
            and self.own_lines(made)
            and makes_room(made, first)
        }
        for first in firsts.values():
            if first.how == "append":
                scope.remark(f"{first.name} is an array then, and no list")
        fresh = [each is firsts.get(each.name) and each.name in made for each in found]
        statements = [_statement(*each) for each in zip(found, fresh, strict=True)]
        also = tuple(sorted((made.lineno, made.end_lineno or made.lineno) for made in made.values()))
        self._add(loop, loop, "\n".join(statements), also, scope)
        return True

    def own_lines(self, statement: ast.stmt) -> bool:
        """Return True if a statement shares its lines with no other."""
        first, last = self.lines[statement.lineno - 1], self.lines[(statement.end_lineno or 1) - 1]
        before = first.encode()[: statement.col_offset].strip()
        after = last.encode()[statement.end_col_offset or 0 :].strip()
        return not before and (not after or after.startswith(b"#"))

    def _refuse_shared_lines(self, statement: ast.stmt) -> None:
        if not self.own_lines(statement):
            raise Stuck("it shares its lines with other statements")

    def expressions(self, statement: ast.stmt) -> None:
        """Read the comprehensions of a statement that holds no other."""
        for node in _comprehensions(statement, self.numpy):
            if not self.evidence.is_numeric(node):
                continue
            scope = self.scope()
            scope.assigned = assigned_names(node)
            try:
                self._refuse_shared_lines(statement)
                value = lift(node, scope)
            except Stuck as error:
                self.keep(node, error)
                continue
            if isinstance(value.node, ast.Name | ast.Attribute | ast.Subscript):
                continue  # nothing was done to the elements
            if isinstance(node, ast.ListComp):
                scope.remark("it is an array then, and no list")
            after = put(statement, lambda n: value.node if n is node else None)  # noqa: B023  (called here)
            self._add(statement, node, ast.unparse(after), (), scope)

    def keep(self, loop: ast.For | ast.expr, error: Stuck) -> None:
        """Note a loop that stays, if it certainly computes with numbers."""
        if self.evidence.is_strong(loop):
            self.kept.append(Kept(loop.lineno, str(error)))

    def _add(
        self, node: ast.stmt, loop: ast.AST, after: str, also: tuple[tuple[int, int], ...], scope: Scope
    ) -> None:
        line, end = node.lineno, node.end_lineno or node.lineno
        before = textwrap.dedent("\n".join(self.lines[line - 1 : end]))
        shapes, notes = tuple(shape_lines(scope)), tuple(scope.notes)
        self.findings.append(Finding(line, end, described(scope, loop), before, after, also, shapes, notes))

    @staticmethod
    def _refuse_needed(loop: ast.For, found: list[Definition | Result], after: Sequence[ast.stmt]) -> None:
        """Refuse a loop whose last turn's names are needed behind it."""
        needed = assigned_names(loop) - {each.name for each in found if isinstance(each, Result)}
        for statement in after:
            use = first_use(statement, needed)
            if use is not None:
                raise Stuck(f"{use.id} may be used after it, in line {use.lineno}")
            needed -= surely_assigned(statement)


def _after_block(statement: ast.stmt, rest: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    """Return what may run after a block of a statement, ``rest`` being what follows the statement."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            return ()
        case ast.While(test, body):
            return (ast.Expr(test), *body, *rest)
        case ast.For(_, _, body):
            return (*body, *rest)
        case ast.Try(_, handlers, _, last):
            return (*(line for handler in handlers for line in handler.body), *last, *rest)
    return rest


def _read(loop: ast.For, new: Callable[[], Scope]) -> tuple[list[Definition | Result], Scope]:
    """Return a loop's results; it is read again while its end shows more about the arrays at its start."""
    ranks: dict[str, int] = {}
    while True:
        scope = new()
        scope.assigned, scope.stored, scope.ranks = assigned_names(loop), stored_places(loop), dict(ranks)
        try:
            found = results(loop, scope)
        except Stuck:
            if scope.ranks == ranks:
                raise
        else:
            if scope.ranks == ranks:
                return found, scope
        ranks = scope.ranks


def _statement(result: Definition | Result, made: bool) -> str:
    """Return the statement that leaves behind what a loop did."""
    if isinstance(result, Definition):
        return f"{result.name} = {ast.unparse(result.value)}"
    target, value = ast.unparse(result.target), ast.unparse(result.value)
    if made and result.how in ("=", "append") and is_view(result.value):
        value += ".copy()"  # or both would be the same array
    match result.how:
        case "append":
            return f"{target} = {value}" if made else f"{target}.extend({value})"
        case "=":
            return f"{target}[:] = {value}" if result.whole and not made else f"{target} = {value}"
        case "+=" if made:
            return f"{target} = {value}"
        case "-=" if made:
            return f"{target} = {ast.unparse(ast.UnaryOp(ast.USub(), result.value))}"
    return f"{target} {result.how} {value}"


def _comprehensions(statement: ast.stmt, numpy: str) -> Iterator[ast.expr]:
    """Yield a statement's outermost comprehensions, with the call that makes an array or a sum of them."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Call(function, [ast.ListComp() | ast.GeneratorExp()], []) if ast.unparse(function) in (
                "sum",
                *(f"{numpy}.{name}" for name in ("sum", "array", "asarray")),
            ):
                yield node
            case ast.ListComp():
                yield node
            case ast.FunctionDef() | ast.Lambda() | ast.ClassDef():
                pass
            case ast.BinOp(ast.ListComp()) | ast.BinOp(_, _, ast.ListComp()):
                pass  # lists one after the other, or again and again
            case _:
                waiting += ast.iter_child_nodes(node)
