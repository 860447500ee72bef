"""Every public class says what it is made from, and every function of several parameters what they are."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, is_dataclass
from typing import NamedTuple

from tests.docs.pages import extension, need

names = extension("public_names")  # what the site's own directives know; it needs no Sphinx

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", flags=re.MULTILINE)
ENTRY = re.compile(r"^(\w[\w, ]*?)(?= : |$)", flags=re.MULTILINE)
COLLECTED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def has_fields(value):
    return is_dataclass(value) or hasattr(value, "_fields")


def described(value):
    """Return the names in a docstring's Parameters; one with fields, or its base, may say Attributes."""
    kinds = ("Parameters", "Attributes") if has_fields(value) else ("Parameters",)
    texts = [c.__doc__ for c in value.__mro__ if has_fields(c)] if has_fields(value) else [value.__doc__]
    entries = []
    for text in texts:
        _, *rest = SECTION.split(inspect.cleandoc(text or ""))
        sections = dict(zip(rest[::2], rest[1::2], strict=True))
        entries += [entry for kind in kinds for entry in ENTRY.findall(sections.get(kind, ""))]
    return {name.strip() for entry in entries for name in entry.split(",")}


def undescribed(value):
    """Return the parameters that a docstring leaves out.

    The one parameter of a function is what its first line is about: it needs no section.
    """
    parameters = inspect.signature(value).parameters.values()
    given = [p.name for p in parameters if p.name != "self" and p.kind not in COLLECTED]
    if not inspect.isclass(value) and len(given) < 2:
        return []
    return [name for name in given if name not in described(value)]


def test_every_public_parameter_is_described():
    need("sklearn")
    values = {
        name: value
        for name, value in names.public_names()
        if names.kind_of(value) == "class" or inspect.isroutine(value)
    }
    missing = {name: undescribed(value) for name, value in values.items()}
    assert {name: parameters for name, parameters in missing.items() if parameters} == {}


def test_a_section_must_name_each_parameter():
    def area(width, height, unit, *more, **options):
        """Return an area.

        Parameters
        ----------
        width, height : float
            In metres; what is called unit here
            unit : is no entry.

        Returns
        -------
        unit : str
        """

    assert undescribed(area) == ["unit"]


def test_a_class_without_sections_describes_nothing():
    class Circle:
        """A circle of some radius."""

        def __init__(self, radius):
            self.radius = radius

    assert undescribed(Circle) == ["radius"]


def test_a_function_of_one_parameter_needs_no_section():
    def area(radius):
        """Return a circle's area."""

    assert undescribed(area) == []


def test_only_fields_may_be_attributes():
    class Circle:
        """A circle.

        Attributes
        ----------
        radius : float
        """

        def __init__(self, radius):
            self.radius = radius

    @dataclass
    class Disc:
        """A disc.

        Attributes
        ----------
        radius : float
        """

        radius: float

    class Ring(NamedTuple):
        """A ring.

        Attributes
        ----------
        radius : float
        """

        radius: float

    assert undescribed(Circle) == ["radius"]
    assert undescribed(Disc) == undescribed(Ring) == []
