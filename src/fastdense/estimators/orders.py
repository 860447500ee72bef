"""The orders that epochs take their rows in: scikit-learn's, drawn once for all trainings that share them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Drawn", "Orders", "Replayed"]

_SHARED = 2**22  # bytes of orders that trainings share; later ones are drawn by each of them


class Orders:
    """Row numbers, shuffled once more for every epoch.

    Parameters
    ----------
    order : int64 array
        The rows in the order that the first shuffle starts from.
    random_state : RandomState
    """

    def __init__(self, order: NDArray[np.int64], random_state: np.random.RandomState) -> None:
        self._order, self._random_state = order, random_state

    def next(self) -> NDArray[np.int64]:
        """Return the next order: what scikit-learn's `shuffle` makes of the last one."""
        self._order = self._order.copy()
        self._random_state.shuffle(self._order)
        return self._order

    def state(self) -> tuple[NDArray[np.int64], Any]:
        """Return the last order and the generator's state."""
        return self._order, self._random_state.get_state()

    def back_to(self, state: tuple[NDArray[np.int64], Any]) -> None:
        """Go back to a state."""
        self._order = state[0]
        self._random_state.set_state(state[1])

    @classmethod
    def at(cls, state: tuple[NDArray[np.int64], Any]) -> Orders:
        """Return orders that go on from a state."""
        orders = cls(state[0], np.random.RandomState())
        orders.back_to(state)
        return orders


class Drawn:
    """The first orders of a generator that nobody else draws from, each drawn when it is first asked for."""

    def __init__(self, orders: Orders) -> None:
        self._start, self._orders = orders.state(), orders
        self._most = _SHARED // max(1, 8 * len(self._start[0]))
        self._kept: list[NDArray[np.int64]] = []

    def order(self, place: int) -> NDArray[np.int64] | None:
        """Return an order, None if it is one of those that are not shared."""
        if place >= self._most:
            return None
        while len(self._kept) <= place:
            self._kept.append(self._orders.next())
        return self._kept[place]

    def after(self, count: int) -> Orders:
        """Return the orders that follow the first ``count``."""
        orders = Orders.at(self._start)
        for _ in range(count):
            orders.next()
        return orders


class Replayed(Orders):
    """Orders that another training may have drawn already."""

    def __init__(self, drawn: Drawn) -> None:
        self._drawn, self._place = drawn, 0
        self._own: Orders | None = None

    def next(self) -> NDArray[np.int64]:
        """Return the next order."""
        order = self._drawn.order(self._place) if self._own is None else None
        if order is None:
            self._own = self._own or self._drawn.after(self._place)
            return self._own.next()
        self._place += 1
        return order

    def state(self) -> tuple[NDArray[np.int64], Any]:
        """Return the last order and the state of a generator that has drawn up to it."""
        return (self._own or self._drawn.after(self._place)).state()
