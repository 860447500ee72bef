"""Where a name's value is used, and where it certainly has a new one."""

from __future__ import annotations

import ast

from fastdense.insight.loops.trees import assigned_names

__all__ = ["first_use", "surely_assigned"]


def first_use(node: ast.AST, names: set[str]) -> ast.Name | None:
    """Return the first place in a statement that uses one of the names before it has a new value there."""
    return _Uses(names).first(node)


def surely_assigned(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value in any case."""
    match statement:
        case ast.Assign(targets):
            return set().union(*map(assigned_names, targets))
        case ast.AnnAssign(target, _, ast.expr()):
            return assigned_names(target)
    return set()


class _Uses:
    """Looks for names in the order in which Python does."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def first(self, node: ast.AST) -> ast.Name | None:
        match node:
            case ast.Name(name, ast.Load()) if name in self.names:
                return node
            case ast.For(target, sequence, body, orelse):
                inner = _Uses(self.names - assigned_names(target))
                return self.first(sequence) or inner.of_all(body) or self.of_all(orelse)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                inner = _Uses(self.names.difference(*(assigned_names(g.target) for g in node.generators)))
                return inner.of_all(list(ast.iter_child_nodes(node)))
            case ast.FunctionDef() | ast.Lambda():
                arguments = {argument.arg for argument in node.args.args}
                return _Uses(self.names - arguments).of_all(list(ast.iter_child_nodes(node)))
        return self.of_all(list(ast.iter_child_nodes(node)))

    def of_all(self, nodes: list[ast.stmt] | list[ast.AST]) -> ast.Name | None:
        names = set(self.names)
        for node in nodes:
            found = _Uses(names).first(node)
            if found is not None:
                return found
            if isinstance(node, ast.stmt):
                names -= surely_assigned(node)
        return None
