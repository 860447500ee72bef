"""The API's pages: the public names of a room, the links to them, and a warning for each that has no place.

A name may be public in several places, as `fastdense.Dense` is `fastdense.layers.Dense`. It is documented in
one of them, and the others lead there.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.utils import get_source_line
from public_names import kind_of, names_in, public_names, resolved
from sphinx.domains.python import ObjectEntry
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LOGGER = logging.getLogger(__name__)
resolved_once = cache(resolved)


class Room(SphinxDirective):
    """Document a module's public names: its docstring, a table, and an entry for each name.

    The names are those of its ``__all__``, or those in the directive's content, in their order there.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"inherited": directives.flag, "bare": directives.flag}

    def run(self) -> list[Node]:
        """Return what the module's directives make, had they been written out."""
        module = import_module(self.arguments[0])
        names = [line.strip() for line in self.content if line.strip()] or names_in(module)
        found = [(name, getattr(module, name)) for name in names]
        shown = [(name, value) for name, value in found if not isinstance(value, ModuleType | str)]
        head = ".. currentmodule::" if "bare" in self.options else ".. automodule::"
        lines = [f"{head} {module.__name__}", *["   :no-members:"] * (head != ".. currentmodule::"), ""]
        lines += [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name, _ in shown), ""]
        for name, value in shown:
            lines += [f".. auto{kind_of(value)}:: {name}"]
            lines += ["   :members:", "   :special-members: __call__"] * inspect.isclass(value)
            lines += ["   :inherited-members:"] * ("inherited" in self.options and inspect.isclass(value))
            lines += [""]
        return self.parse_text_to_nodes("\n".join(lines))


def note_aliases(app: Sphinx, env: BuildEnvironment) -> None:
    """Let every public name lead to where its object is documented, or warn that it is nowhere."""
    objects = env.domains.python_domain.objects
    documented = {}
    for name, entry in objects.items():
        value = resolved(name) if entry.objtype in {"class", "exception", "function", "data"} else None
        if value is not None and not entry.aliased:
            documented[id(value)] = entry
    for name, value in public_names():
        if name in objects or isinstance(value, str | ModuleType):
            continue
        if id(value) in documented:
            entry = documented[id(value)]
            objects[name] = ObjectEntry(entry.docname, entry.node_id, entry.objtype, aliased=True)
        else:
            LOGGER.warning("%s is public, and no page documents it", name, type="rooms")


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, inside: nodes.Element) -> Node | None:
    """Resolve a name as the reader of its docstring does, where Sphinx does not.

    It may be a member of the class that the docstring is in, something in its module, the end of one
    documented name alone (`Sequential.fit`), or a method of the model.
    """
    if node.get("refdomain") != "py":
        return None
    target, objects = node["reftarget"], env.domains.python_domain.objects
    owner = owner_of(node)
    if owner is not None and "." not in target and hasattr(resolved(owner), target):
        found = entries_of(objects, f"{owner}.{target}")
        if not found:  # an attribute that its class's docstring tells all about
            return inside
    else:
        found = entries_of(objects, target) or ending_with(objects, target)
    if len({(entry.docname, entry.node_id) for entry in found}) != 1:
        found = [objects[name] for name in [f"fastdense.Sequential.{target}"] if name in objects]
    if not found:
        return None
    entry = found[0]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, [inside], target)


def owner_of(node: pending_xref) -> str | None:
    """Return the class, function or module whose docstring a reference is in; a method's is its class's."""
    source = str(get_source_line(node)[0])
    name = source.rpartition("docstring of ")[2].partition(":")[0]
    while "." in name and not (inspect.isclass(resolved(name)) or isinstance(resolved(name), ModuleType)):
        name = name.rpartition(".")[0]
    return name if name in source and "." in name else None


def entries_of(objects: dict[str, ObjectEntry], name: str) -> list[ObjectEntry]:
    """Return the entry of an object, or of a class's member, under whichever of its names is documented."""
    value, (home, _, member) = resolved(name), name.rpartition(".")
    if inspect.isclass(resolved(home)):
        known = (entry for other, entry in objects.items() if is_member(other, resolved(home), member))
    elif inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, ModuleType):
        known = (entry for other, entry in objects.items() if resolved_once(other) is value)
    else:
        known = iter(())
    return list(known)[:1]


def is_member(name: str, holder: type, member: str) -> bool:
    """Return whether a documented name is a class's member of that name."""
    home, _, last = name.rpartition(".")
    return last == member and resolved_once(home) is holder


def ending_with(objects: dict[str, ObjectEntry], target: str) -> list[ObjectEntry]:
    """Return the entries whose names end in ``target``, after a dot."""
    return [entry for name, entry in objects.items() if f".{name}".endswith(f".{target.lstrip('.')}")]


def skip(app: Sphinx, what: str, name: str, member: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what an estimator inherits from scikit-learn, which documents it."""
    function = getattr(member, "fget", member)  # a property's
    return True if str(getattr(function, "__module__", "")).startswith("sklearn.") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive, the aliases and the resolver."""
    app.add_directive("room", Room)
    app.connect("env-updated", note_aliases)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
