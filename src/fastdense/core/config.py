"""Objects that are described by their constructor's arguments, and the families they are chosen from.

A layer, loss, optimizer, ... is `Configurable`: it keeps every argument of its constructor under that
argument's name, so its description (what `repr` shows, what a model file holds) needs no second list. A
`Family` maps the names and descriptions that users and files give to such objects; it is the only way from
text to an object, so a file can name only what is registered.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from fastdense.core.absent import advice
from fastdense.core.parameters import Declared
from fastdense.errors import FormatError

__all__ = ["Configurable", "Family", "snake_case"]


class Configurable(Declared):
    """Base of objects that are described by their constructor's arguments.

    A subclass declares them (see `fastdense.core.parameters`), or writes a constructor that keeps each of its
    arguments under the argument's name.
    """

    _alias: ClassVar[str | None] = None
    """The name that users write for an object with default arguments."""
    default_name = ""
    """What an object without a name is called: its class's name in snake case, or what the class sets."""

    @classmethod
    def argument_names(cls) -> tuple[str, ...]:
        """Return the names of the constructor's arguments, those aside that only stand for others."""
        return tuple(name for name in _defaults(cls) if name not in cls.declared or cls.declared[name].kept)

    @classmethod
    def _later(cls) -> set[str]:
        """Return the arguments that are younger than the first files, which lack them."""
        return {name for name, each in cls.declared.items() if each.later}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as values that JSON can hold.

        Those younger than the first files are left out at their defaults: older versions then read the file.
        """
        later = self._later()
        given = self.given() if later else {}
        names = [name for name in self.argument_names() if name not in later or name in given]
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config: Any) -> Self:
        """Return an object built from what `get_config` gave.

        Raises
        ------
        ValueError
            An argument is missing or unknown, or its value is not valid.
        """
        known = set(cls.argument_names())
        if not isinstance(config, dict) or not known - cls._later() <= set(config) <= known:
            given = sorted(config) if isinstance(config, dict) else config
            raise ValueError(f"{cls.__name__} is described by {sorted(known)}, got {given!s:.200}")
        return cls(**config)

    def describe(self) -> dict[str, Any]:
        """Return ``{"class_name": ..., "config": ...}``, from which a `Family` rebuilds the object."""
        return {"class_name": type(self).__name__, "config": self.get_config()}

    def given(self) -> dict[str, Any]:
        """Return the arguments that differ from their defaults, in shorthand if they have one."""
        defaults = _defaults(type(self))
        values = {name: _short(getattr(self, name)) for name in self.argument_names()}
        return {name: value for name, value in values.items() if value != defaults[name]}

    def shorthand(self) -> str | None:
        """Return the name that alone stands for this object; None if it has arguments too."""
        return None if self.given() else self._alias

    def __repr__(self) -> str:
        """Show the constructor's call, arguments at their defaults left out."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.given().items())
        return f"{type(self).__name__}({shown})"


T = TypeVar("T", bound=Configurable)
Member = TypeVar("Member", bound=Configurable)


class Family(Generic[T]):
    """The members of one kind of object, found by name.

    Parameters
    ----------
    kind : str
        What a member is called in messages, such as "loss".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.members: dict[str, type[T]] = {}
        self.aliases: dict[str, Callable[[], T]] = {}

    def add(self, *aliases: str) -> Callable[[type[Member]], type[Member]]:
        """Return a class decorator that registers a member under its own name and ``aliases``."""

        def register(member: type[Member]) -> type[Member]:
            self.members[member.__name__] = cast(type[T], member)
            member._alias = aliases[0] if aliases else None
            if "default_name" not in vars(member):
                member.default_name = snake_case(member.__name__)
            for alias in (member.__name__, *aliases):
                self.aliases[alias] = self.members[member.__name__]
            return member

        return register

    def get(self, identifier: object) -> T:
        """Return a member: ``identifier`` itself, or built from a name or a description.

        Raises
        ------
        ValueError
            The name is unknown.
        TypeError
            The identifier is of no such kind.
        """
        for member in self.members.values():
            if isinstance(identifier, member):
                return identifier
        if isinstance(identifier, str):
            if identifier not in self.aliases:
                instead = f": {advice(identifier)}" if advice(identifier) else ""
                known = ", ".join(self.names())
                raise ValueError(f"unknown {self.kind} {identifier!r}{instead}; known: {known}")
            return self.aliases[identifier]()
        if isinstance(identifier, dict):
            return self.restore(identifier)
        raise TypeError(
            f"{self.kind}: give a name ({', '.join(self.names())}) or one of fastdense's own objects, "
            f"not {identifier!r:.200}"
        )

    def describe(self, member: T) -> dict[str, Any]:
        """Return the description that `restore` takes; FormatError for a class that is not registered."""
        if self.members.get(type(member).__name__) is not type(member):
            raise FormatError(f"a file cannot hold {type(member).__name__}, no {self.kind} of fastdense's")
        return member.describe()

    def restore(self, description: Any) -> T:
        """Return the member that a description made by `Configurable.describe` stands for."""
        if not isinstance(description, dict) or set(description) != {"class_name", "config"}:
            raise ValueError(
                f"{self.kind}: its description is a class_name and a config, not {description!r:.200}"
            )
        name = description["class_name"]
        member = self.members.get(name) if isinstance(name, str) else None
        if member is None:
            raise ValueError(f"unknown {self.kind} {name!r:.200}")
        return member.from_config(description["config"])

    def names(self) -> list[str]:
        """Return the names in lower case, which are the ones people write; else the classes' names."""
        return [name for name in self.aliases if name.islower()] or list(self.members)


def snake_case(name: str) -> str:
    """Return a class's name in lower case, its words joined by underscores, as Keras writes it.

    Examples
    --------
    >>> snake_case("LeakyReLU"), snake_case("KLDivergence")
    ('leaky_re_lu', 'kl_divergence')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _defaults(cls: type) -> dict[str, Any]:
    """Return the arguments of a class's constructor with their defaults; finding them is slow."""
    if cls not in _found:
        _found[cls] = {name: p.default for name, p in inspect.signature(cls).parameters.items()}
    return _found[cls]


_found: dict[type, dict[str, Any]] = {}


def _plain(value: Any) -> Any:
    if isinstance(value, Configurable):
        return value.describe()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _short(value: Any) -> Any:
    return (value.shorthand() or value) if isinstance(value, Configurable) else value
