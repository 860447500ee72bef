"""Declared parameters: the constructor, its checks and the docstring that follow from them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar

import pytest

from fastdense.core.checks import above_zero, flag, from_one, optional, sizes
from fastdense.core.config import Configurable
from fastdense.core.parameters import Converted, parameter


class Tank(Configurable):
    """A tank.

    Examples
    --------
    >>> Tank(2).height
    2.0
    """

    height: float = parameter(above_zero, "In metres.")
    parts: Converted[Sequence[int], tuple[int, ...]] = parameter(
        sizes, "Of each floor.", default=(1,), kind="tuple of int"
    )
    _: KW_ONLY
    lid: bool = parameter(flag, "Whether it is closed.", default=False)
    diameter: InitVar[float | None] = parameter(optional(above_zero), "Twice the radius.", default=None)

    def __post_init__(self, diameter: float | None = None) -> None:
        self.radius = None if diameter is None else diameter / 2


class Barrel(Tank):
    """A barrel."""

    height: float = parameter(above_zero, "In feet.", default=3.0)
    staves: int = parameter(from_one, "Its boards.", default=20)


def test_values_are_checked_and_kept_as_the_check_returns_them():
    tank = Tank(2, [3, 4], lid=True, diameter=3)
    assert (tank.height, tank.parts, tank.lid, tank.radius) == (2.0, (3, 4), True, 1.5)
    assert type(tank.height) is float
    with pytest.raises(ValueError, match="height must be finite and above 0, got 0"):
        Tank(0)
    with pytest.raises(ValueError, match="diameter must be"):
        Tank(1, diameter=-1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Tank, "Tank: missing a required argument: 'height'"),
        (lambda: Tank(1, width=2), "Tank: got an unexpected keyword argument 'width'"),
        (lambda: Tank(1, (1,), True), "Tank: too many positional arguments"),
    ],
)
def test_a_wrong_call_names_the_class(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_the_signature_is_the_declaration():
    parameters = inspect.signature(Tank).parameters
    assert [*parameters] == ["height", "parts", "lid", "diameter"]
    assert parameters["height"].default is inspect.Parameter.empty
    assert parameters["lid"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["height"].annotation == "float"


def test_a_subclass_may_add_parameters_and_declare_one_again():
    barrel = Barrel(staves=12)
    assert (barrel.height, barrel.staves) == (3.0, 12)
    assert [*inspect.signature(Barrel).parameters] == ["height", "parts", "staves", "lid", "diameter"]
    assert Tank(1).height == 1.0


def test_a_description_holds_what_is_kept():
    assert Tank(2, diameter=3).get_config() == {"height": 2.0, "parts": [1], "lid": False}
    assert repr(Barrel(lid=True)) == "Barrel(lid=True)"


def test_the_docstring_lists_the_parameters_before_its_other_sections():
    assert Tank.__doc__ == inspect.cleandoc(
        """A tank.

        Parameters
        ----------
        height : float
            In metres.
        parts : tuple of int, default (1,)
            Of each floor.
        lid : bool, default False
            Whether it is closed.
        diameter : float, optional
            Twice the radius.

        Examples
        --------
        >>> Tank(2).height
        2.0
        """
    )
    assert "In feet." in Barrel.__doc__


def test_a_constructor_of_its_own_stays_and_is_described_by_its_own_signature():
    class Pool(Tank):
        """A pool."""

        def __init__(self, height: float = 0.5):
            super().__init__(height, lid=False)

    class Named(Configurable):
        """A thing with a name that nothing declares."""

        def __init__(self, name: str):
            self.name = name

    assert Pool.__doc__ == "A pool.\n\nParameters\n----------\nheight : float, default 0.5\n    In metres."
    assert Pool(0.25).get_config() == {"height": 0.25}
    assert Named.__doc__ == "A thing with a name that nothing declares."
    assert repr(Named("a")) == "Named(name='a')"
