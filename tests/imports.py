"""Every import of the package, read from its source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGE", "ROOT", "imports_of", "package_sources"]

ROOT = Path(__file__).parents[1]
PACKAGE = "fastdense"


@dataclass(frozen=True)
class Import:
    """One import: of which module, by which, and when; ``deferred`` is inside a function."""

    importer: str
    target: str
    deferred: bool = False
    for_types: bool = False


class Finder(ast.NodeVisitor):
    """Finds a module's imports, with `importlib.import_module` of a literal name among them."""

    def __init__(self, module, known):
        self.module, self.known = module, known
        self.deferred = self.for_types = False
        self.found = []

    def add(self, target):
        self.found.append(Import(self.module, target, self.deferred, self.for_types))

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name)

    def visit_ImportFrom(self, node):
        if node.level:
            raise AssertionError(f"{self.module}: write imports in full, not from {'.' * node.level}")
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            self.add(inner if inner in self.known else node.module)

    def visit_Call(self, node):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            self.add(node.args[0].value)
        self.generic_visit(node)

    def visit_If(self, node):
        if ast.unparse(node.test) not in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self.generic_visit(node)
            return
        self.for_types = True
        for child in node.body:
            self.visit(child)
        self.for_types = False
        for child in node.orelse:
            self.visit(child)

    def visit_FunctionDef(self, node):
        outer, self.deferred = self.deferred, True
        self.generic_visit(node)
        self.deferred = outer

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef


def package_sources():
    """Return the source of every module of the package by its name; a compiled module's is its stub."""
    folder = ROOT / "src"
    files = sorted(file for ending in ("*.py", "*.pyi") for file in (folder / PACKAGE).rglob(ending))
    assert files, f"no source under {folder}"
    return {module_name(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in files}


def module_name(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(sources, known=frozenset()):
    """Return every import of these modules; ``known`` names others, which an import may be of."""
    found = []
    for module, source in sources.items():
        finder = Finder(module, {*sources, *known})
        finder.visit(ast.parse(source))
        found += finder.found
    return found
