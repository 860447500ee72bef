"""The order of a chain's modules, as far as their names, their shapes and their file decide it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, islice, pairwise
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fastdense.core.notes import note
from fastdense.errors import FormatError

__all__ = ["Fits", "is_norm", "ordered"]

Groups = Mapping[str, Mapping[str, NDArray[Any]]]
Fits = Callable[[Sequence[str], str], bool]

# A search that takes longer gives up. Ten square layers whose names have no numbers take 20 steps.
_STEPS = 20_000


class Unit(NamedTuple):
    """A module by its name, with the normalisations that belong to it, and its rank in a given order."""

    name: str
    members: tuple[str, ...]
    rank: int = 0


def ordered(
    path: object,
    groups: Groups,
    fits: Fits,
    order: Sequence[str] | None = None,
    as_defined: bool = False,
) -> list[str]:
    """Return the modules' names, first module first.

    Numbers that two names both have decide (``fc2`` before ``fc10``). What they leave open, the shapes decide
    if only one order fits: ``fc`` may come before ``fc1`` or, as the head of a network, after it.

    Parameters
    ----------
    path : path-like
        Begins the messages.
    groups : mapping of str to mapping of str to array
        The modules' tensors by the modules' names, in the file's order.
    fits : callable
        Returns True if a module fits behind those that come before it.
    order : sequence of str, optional
        The order as the user gives it: modules, or what the names of several begin with up to a point.
    as_defined : bool
        True if the file's order is that in which the modules were defined.

    Raises
    ------
    FormatError
        More than one order fits, or the given one does not name each module once.
    """
    names, units = list(groups), _units(groups, order or (), as_defined)
    if order is not None:
        units = _ranked(path, units, order)
    possible = list(islice(_orders(path, units, fits), 2))
    if not possible:
        return [name for unit in sorted(units, key=lambda unit: unit.rank) for name in unit.members]
    if len(possible) > 1 and as_defined and order is None and _is_possible(names, fits):
        _refuse_twins(path, groups)
        _tell_of_containers(path, names)
        note(
            f"{path}: the layers are in the file's order, {', '.join(names):.300}, which is that of their "
            "definition. Their names and shapes allow others: if it is not the order of use, give order="
        )
        return names
    if len(possible) > 1:
        possible = list(islice(_orders(path, units, fits, whole=True), 2)) or possible
    if len(possible) > 1:
        _refuse_doubt(path, *possible)
    if order is None:
        _tell_of_containers(path, possible[0])
    return possible[0]


def is_norm(group: Mapping[str, Any]) -> bool:
    """Return True for the tensors of a batch normalisation."""
    return {"running_mean", "running_var"} <= set(group)


def _ranked(path: object, units: Sequence[Unit], order: Sequence[str]) -> list[Unit]:
    """Return the units with their place in the given order."""
    starts = [f"{start.rstrip('.')}." for start in order]
    found = [[i for i, start in enumerate(starts) if f"{unit.name}.".startswith(start)] for unit in units]
    if any(len(places) != 1 for places in found) or len(set(map(tuple, found))) != len(order):
        raise FormatError(
            f"{path} has the modules {', '.join(unit.name for unit in units):.500}; the order names "
            f"{', '.join(order):.500}"
        )
    return [unit._replace(rank=rank) for unit, (rank,) in zip(units, found, strict=True)]


def _units(groups: Groups, given: Sequence[str], as_defined: bool) -> list[Unit]:
    """Return the modules, each normalisation with the one module of the same numbers: bn2 behind fc2.

    If the shapes allow both sides it comes behind, except in a file that defines it just before.
    """
    names = list(groups)
    members = {name: [name] for name in names}
    for i, norm in enumerate(names):
        partners = [name for name in names if _numbers(name) == _numbers(norm) and "weight" in groups[name]]
        partners = [name for name in partners if not is_norm(groups[name])]
        if not is_norm(groups[norm]) or norm in given or not _numbers(norm) or len(partners) != 1:
            continue
        (partner,) = partners
        n_units, n_in = groups[partner]["weight"].shape[0], groups[partner]["weight"].shape[-1]
        width = groups[norm]["running_mean"].size
        defined_before = as_defined and names[i + 1 : i + 2] == [partner]
        if width == n_in and (width != n_units or defined_before):
            members[partner].insert(0, norm)
        elif width == n_units:
            members[partner].append(norm)
        else:
            continue
        del members[norm]
    return [Unit(name, tuple(found)) for name, found in members.items()]


def _orders(path: object, units: Sequence[Unit], fits: Fits, whole: bool = False) -> Iterator[list[str]]:
    """Yield the orders that fit and follow the numbers; if ``whole``, each container's members together."""
    earlier = {unit: {other for other in units if _comes_before(other, unit)} for unit in units}
    waiting: list[tuple[Unit, ...]] = [()]
    for _ in range(_STEPS):
        if not waiting:
            return
        done = waiting.pop()
        names = [name for unit in done for name in unit.members]
        left = [unit for unit in units if unit not in done]
        if not left:
            yield names
        following = _of_container(done[-1].name, left) if whole and done else left
        waiting += [
            (*done, unit)
            for unit in reversed(following)
            if earlier[unit] <= set(done) and _is_possible(unit.members, fits, names)
        ]
    raise FormatError(
        f"{path}: neither the names nor the shapes of its modules decide their order: give order="
    )


def _is_possible(names: Sequence[str], fits: Fits, before: Sequence[str] = ()) -> bool:
    """Return True if modules fit one behind the other, and behind those before."""
    done = list(before)
    for name in names:
        if not fits(done, name):
            return False
        done.append(name)
    return True


def _of_container(name: str, units: Sequence[Unit]) -> Sequence[Unit]:
    """Return the units of the innermost container of a module that still has some."""
    while "." in name:
        name = name.rpartition(".")[0]
        if inside := [unit for unit in units if unit.name.startswith(f"{name}.")]:
            return inside
    return units


def _comes_before(a: Unit, b: Unit) -> bool:
    return _before(a.name, b.name) if a.rank == b.rank else a.rank < b.rank


def _before(a: str, b: str) -> bool:
    """Return True if the first difference of two names is a number, and smaller in the first."""
    parts, others = _parts(a), _parts(b)
    for part, other in zip(parts, others, strict=False):
        if part != other:
            return isinstance(part, int) and isinstance(other, int) and part < other
    return False


def _parts(name: str) -> list[str | int]:
    """Return the texts and numbers of a name in turn: of fc_2.0 ``["fc", 2, ".", 0]``."""
    parts = re.split("[_-]?([0-9]{1,18})", name)
    split = [int(part) if i % 2 else part for i, part in enumerate(parts)]
    return split if split[-1] != "" else split[:-1]


def _numbers(name: str) -> list[int]:
    return [part for part in _parts(name) if isinstance(part, int)]


def _refuse_twins(path: object, groups: Groups) -> None:
    """Refuse containers of the same layers, such as a network and its copy that is trained more slowly."""
    found: dict[str, dict[str, list[tuple[int, ...]]]] = {}
    for name, group in groups.items():
        head, _, rest = name.partition(".")
        found.setdefault(head, {})[rest] = [array.shape for array in group.values()]
    for a, b in combinations(found, 2):
        if found[a] == found[b] and "" not in found[a] and not _before(a, b) and not _before(b, a):
            raise FormatError(
                f"{path}: {a!r} and {b!r} hold the same layers: if they are two networks, choose one with "
                "prefix=, and if one follows the other, give order="
            )


def _tell_of_containers(path: object, names: Sequence[str]) -> None:
    """Note that containers whose names have no numbers are taken for parts of one network."""
    for a, b in pairwise(names):
        parts, others = a.split("."), b.split(".")
        while parts[:1] == others[:1]:
            parts, others = parts[1:], others[1:]
        if len(parts) > 1 and len(others) > 1 and not _before(a, b):
            note(
                f"{path}: {parts[0]!r} and {others[0]!r} are taken for parts of one network, since their "
                "shapes fit. If they are networks by themselves, choose one with prefix="
            )


def _refuse_doubt(path: object, names: Sequence[str], others: Sequence[str]) -> None:
    a, b = next((a, b) for a, b in zip(names, others, strict=True) if a != b)
    raise FormatError(
        f"{path} does not say whether {min(a, b)!r} or {max(a, b)!r} comes first: no numbers in the names "
        f"decide, and the shapes fit either way. Give order=, a list of {', '.join(map(repr, names)):.300}, "
        "or of what their names begin with, the first layer first"
    )
