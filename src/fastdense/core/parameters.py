"""Parameters of public classes, each declared once: the constructor, its docstring and its checks follow.

::

    class Huber(Loss):
        delta: float = parameter(above_zero, "The error beyond which the loss is a line.", default=1.0)

Type checkers derive the signature as they do for a dataclass. Order, inheritance, `dataclasses.KW_ONLY`,
`dataclasses.InitVar` and ``__post_init__`` mean what they mean there; unlike there, every value passes its
parameter's check, the defaults too, and what the check returns is kept.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform, overload

__all__ = ["Converted", "Declaration", "Declared", "parameter"]

Check = Callable[[str, Any], Any]
Given_contra = TypeVar("Given_contra", contravariant=True)
Kept_co = TypeVar("Kept_co", covariant=True)


class Converted(Generic[Given_contra, Kept_co]):
    """The type of a parameter that is given as one type and kept as another, for type checkers alone."""

    @overload
    def __get__(self, owner: None, kind: Any) -> Any: ...
    @overload
    def __get__(self, owner: object, kind: Any) -> Kept_co: ...
    def __get__(self, owner: Any, kind: Any) -> Any:
        """Return what is kept."""

    def __set__(self, owner: object, value: Given_contra) -> None:
        """Take what is given."""


@dataclass(frozen=True)
class Declaration:
    """A parameter of a constructor, as `parameter` declares it, with what its class's body adds."""

    check: Check
    meaning: str
    default: Any
    kind: str
    later: bool
    annotation: str = ""
    keyword_only: bool = False
    kept: bool = True

    def named(self, name: str) -> inspect.Parameter:
        """Return the parameter of a signature."""
        kinds = inspect.Parameter
        kind = kinds.KEYWORD_ONLY if self.keyword_only else kinds.POSITIONAL_OR_KEYWORD
        annotation = kinds.empty if self.kind else self.annotation
        return kinds(name, kind, default=self.default, annotation=annotation)

    def described(self, given: inspect.Parameter) -> str:
        """Return the entry of a docstring's section, with the default that a constructor has."""
        kind = self.kind or self.annotation
        if given.default is None:
            kind = f"{kind.removesuffix(' | None').removesuffix(' or None')}, optional"
        elif given.default is not given.empty:
            kind = f"{kind}, default {given.default!r}"
        kind = kind.replace(" | ", " or ")
        meaning = textwrap.indent(inspect.cleandoc(self.meaning), "    ")
        return f"{given.name} : {kind}\n{meaning}"


def parameter(
    check: Check,
    meaning: str,
    *,
    default: Any = inspect.Parameter.empty,
    kind: str = "",
    later: bool = False,
) -> Any:
    """Return a parameter, for the body of a `Declared` class.

    Parameters
    ----------
    check : function
        ``check(name, value)`` returns what is kept, or raises an error that names the parameter.
    meaning : str
        What the docstring says of it.
    default : object, optional
        Without one the parameter must be given.
    kind : str, optional
        What the docstring calls its type; its annotation by default.
    later : bool
        Whether it is younger than the first files that hold such objects: see `Configurable.get_config`.
    """
    return Declaration(check, meaning, default, kind, later)


@dataclass_transform(eq_default=False, field_specifiers=(parameter,))
class Declared:
    """Base of classes whose constructor and docstring follow from the parameters that they declare.

    A subclass that writes its own ``__init__``, as one that fixes or reorders some of its base's parameters
    does, or its own section of parameters keeps them.
    """

    declared: ClassVar[Mapping[str, Declaration]] = {}
    """The parameters by name, in order."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = _take_parameters(cls)
        inherited = [vars(base).get("declared", {}) for base in reversed(cls.__mro__[1:])]
        cls.declared = {name: each for part in [*inherited, own] for name, each in part.items()}
        if own and "__init__" not in vars(cls):
            cls.__init__ = _constructor(cls)  # type: ignore[method-assign]
        if cls.__doc__:
            cls.__doc__ = _documented(inspect.cleandoc(cls.__doc__), cls)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Set the parameters' attributes."""
        for name, value in values.items():
            setattr(self, name, value)

    def __post_init__(self) -> None:
        """Run after the parameters are kept; those of type InitVar are arguments of it."""


def _take_parameters(cls: type) -> dict[str, Declaration]:
    """Return the parameters of a class's own body and take them out of it, as properties may keep them."""
    found, keyword_only = {}, False
    for name, annotation in inspect.get_annotations(cls).items():
        keyword_only |= annotation in (KW_ONLY, "KW_ONLY")
        value = vars(cls).get(name)
        if isinstance(value, Declaration):
            text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
            passed = re.fullmatch(r"(?:dataclasses\.)?InitVar\[(.*)\]", text)
            text = passed[1] if passed else text
            found[name] = replace(value, annotation=text, keyword_only=keyword_only, kept=passed is None)
            delattr(cls, name)
    return found


def _constructor(cls: type[Declared]) -> Callable[..., None]:
    declared = cls.declared
    ordered = sorted(declared, key=lambda name: declared[name].keyword_only)
    owner = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.Signature([owner, *(declared[name].named(name) for name in ordered)])

    places = [name for name in ordered if not declared[name].keyword_only]
    defaults = {name: each.default for name, each in declared.items() if each.default is not owner.empty}

    def construct(self: Declared, *arguments: Any, **options: Any) -> None:
        placed = dict(zip(places, arguments, strict=False))
        given = {**defaults, **placed, **options}
        if len(arguments) > len(places) or placed.keys() & options or given.keys() != declared.keys():
            try:
                signature.bind(self, *arguments, **options)  # slow, and says what is wrong
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}: {error}") from None
        values = {name: each.check(name, given[name]) for name, each in declared.items()}
        self.keep({name: value for name, value in values.items() if declared[name].kept})
        self.__post_init__(**{name: value for name, value in values.items() if not declared[name].kept})

    construct.__signature__ = signature  # type: ignore[attr-defined]
    construct.__name__, construct.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
    construct.__module__ = cls.__module__
    return construct


def _documented(text: str, cls: type[Declared]) -> str:
    """Return a docstring with a section of the constructor's parameters, before its other sections."""
    given = inspect.signature(cls).parameters
    if not given or "Parameters\n----------\n" in text or not set(given) <= set(cls.declared):
        return text
    entries = [cls.declared[name].described(each) for name, each in given.items()]
    first = re.search(r"^\w[\w ]*\n-{3,}$", text, flags=re.MULTILINE)
    at = first.start() if first else len(text)
    parts = (text[:at].rstrip(), "\n".join(["Parameters\n----------", *entries]), text[at:])
    return "\n\n".join(part for part in parts if part)
