"""A machine that follows a pickle's instructions and makes plain data of them: nothing is imported or called.

A pickle is a program for a small machine, whose instructions Python's `pickletools` documents. Python's own
machine calls whatever functions the program names. This one hands their names and arguments to its user, so
that a file of weights is read, and all else in it stays a description of what it would have been.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import IO, Any

__all__ = ["Made", "Named", "unpickle"]

# Instructions that change nothing here: versions, lengths, and hints to share memory.
_IDLE = {"PROTO", "FRAME", "READONLY_BUFFER", "STOP"}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_SET": list,
    "EMPTY_TUPLE": tuple,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_KEYS = (str, bytes, int, float, type(None))  # what is quick to hash: a tuple of tuples may nest without end


class Named:
    """A function or class that a pickle names, as ``module.name``."""

    def __init__(self, name: str) -> None:
        self.name = name


class Made:
    """What a call would have made.

    Attributes
    ----------
    name : str
        The function or class, as ``module.name``.
    arguments : tuple
    state : object
        What it would have been filled with; None if nothing was.
    """

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


def unpickle(
    stream: IO[bytes], call: Callable[[str, tuple[Any, ...]], Any], refer: Callable[[Any], Any] | None = None
) -> Any:
    """Return the data of one pickle; the stream stands behind it then.

    Parameters
    ----------
    stream : binary file
    call : callable
        Given the name of a function or class and the arguments, returns what takes the result's place.
    refer : callable, optional
        Given a persistent identifier, returns what takes its place.

    Raises
    ------
    Exception
        Of any kind, if the pickle is damaged.
    """
    machine = _Machine(call, refer or (lambda identifier: Made("persistent", (identifier,))))
    for instruction, argument, _ in pickletools.genops(stream):
        machine.follow(instruction.name, argument)
    return machine.stack.pop()


class _Machine:
    """A stack, the stacks below its marks, and a memory of what was seen."""

    def __init__(self, call: Callable[[str, tuple[Any, ...]], Any], refer: Callable[[Any], Any]) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memory: dict[Any, Any] = {}
        self.call, self.refer = call, refer

    def follow(self, name: str, argument: Any) -> None:
        """Follow one instruction."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _TUPLES:
            self.stack.append(self._taken(_TUPLES[name]))
        elif method := getattr(self, f"_{name.lower()}", None):
            method()
        elif name not in _IDLE:
            self._follow_with(name, argument)

    def _follow_with(self, name: str, argument: Any) -> None:
        """Follow an instruction that has an argument."""
        match name:
            case "GET" | "BINGET" | "LONG_BINGET":
                self.stack.append(self.memory[argument])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memory[argument] = self.stack[-1]
            case "GLOBAL":
                self.stack.append(_named(argument))
            case "INST":
                self._call(_named(argument), tuple(self._to_mark()))
            case "PERSID":
                self.stack.append(self.refer(argument))
            case _:
                if argument is None:
                    raise ValueError(f"the instruction {name} is not known")
                self.stack.append(argument)

    def _taken(self, count: int) -> tuple[Any, ...]:
        """Return the topmost values, which are taken off the stack."""
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        taken = tuple(self.stack[-count:])
        del self.stack[-count:]
        return taken

    def _to_mark(self) -> list[Any]:
        """Return the values down to the last mark, which are taken off the stack with it."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def _call(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, Named) or not isinstance(arguments, tuple):
            raise TypeError("a call of what is not a function's name and a tuple")
        self.stack.append(self.call(function.name, arguments))

    def _mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def _pop(self) -> None:
        self._taken(1) if self.stack else self._to_mark()

    def _pop_mark(self) -> None:
        self._to_mark()

    def _dup(self) -> None:
        self.stack.append(self.stack[-1])

    def _memoize(self) -> None:
        self.memory[len(self.memory)] = self.stack[-1]

    def _tuple(self) -> None:
        items = tuple(self._to_mark())
        self.stack.append(items)

    def _list(self) -> None:
        items = self._to_mark()
        self.stack.append(items)

    def _frozenset(self) -> None:
        self._list()

    def _dict(self) -> None:
        items = self._to_mark()
        self.stack.append({})
        self._set(items)

    def _append(self) -> None:
        self._extend(self._taken(1))

    def _appends(self) -> None:
        self._extend(self._to_mark())

    def _additems(self) -> None:
        self._extend(self._to_mark())

    def _extend(self, items: Any) -> None:
        if isinstance(self.stack[-1], list):  # otherwise an object that is not built
            self.stack[-1].extend(items)

    def _setitem(self) -> None:
        self._set(self._taken(2))

    def _setitems(self) -> None:
        self._set(self._to_mark())

    def _set(self, items: Any) -> None:
        target = self.stack[-1]
        if isinstance(target, dict):
            pairs = zip(items[::2], items[1::2], strict=True)
            target.update((key, value) for key, value in pairs if isinstance(key, _KEYS))

    def _stack_global(self) -> None:
        module, name = self._taken(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("the name of a function is a text")
        self.stack.append(Named(f"{module}.{name}"))

    def _reduce(self) -> None:
        self._call(*self._taken(2))

    def _newobj(self) -> None:
        self._reduce()

    def _newobj_ex(self) -> None:
        kind, arguments, _ = self._taken(3)
        self._call(kind, arguments)

    def _obj(self) -> None:
        kind, *arguments = self._to_mark()
        self._call(kind, tuple(arguments))

    def _build(self) -> None:
        (state,) = self._taken(1)
        if isinstance(self.stack[-1], Made):  # a dict's or tensor's attributes are left out
            self.stack[-1].state = state

    def _binpersid(self) -> None:
        (identifier,) = self._taken(1)
        self.stack.append(self.refer(identifier))


def _named(argument: str) -> Named:
    """Return what an instruction names as ``module name``."""
    return Named(argument.replace(" ", ".", 1))
