"""The activations ``a = g(z)`` of one row, and the way back: ``dz`` from ``da``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from fastdense.core.curves import CURVES
from fastdense.core.spec import ActivationSpec, group_slices
from fastdense.reference import curves

__all__ = ["activate", "activate_backward", "activation_spec", "softmax", "softmax_backward"]

Curve = Callable[[float], float]


def activation_spec(activation: str | ActivationSpec) -> ActivationSpec:
    """Return the spec of an activation given by name; a spec comes back as it is.

    Parameters
    ----------
    activation : str or ActivationSpec
        One of `fastdense.core.spec.ACTIVATIONS`. By name, ``leaky_relu`` has the slope 0.2 below zero and
        ``elu`` the scale 1.

    Raises
    ------
    ValueError
        The activation is unknown; the message lists all.

    Examples
    --------
    >>> activation_spec("elu") == ActivationSpec("elu", alpha=1.0)
    True
    """
    name = activation if isinstance(activation, str) else activation.name
    if name not in CURVES:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(CURVES)}")
    return ActivationSpec(name, CURVES[name].alpha or 0.0) if isinstance(activation, str) else activation


def curve(spec: ActivationSpec) -> tuple[Curve, Curve]:
    """Return ``g`` and its derivative ``g'``, each of one number, for any activation but softmax.

    Examples
    --------
    >>> g, g_derivative = curve(ActivationSpec("leaky_relu", alpha=0.5))
    >>> g(-4.0), g_derivative(-4.0)
    (-2.0, 0.5)
    """
    g, derivative = getattr(curves, spec.name), getattr(curves, f"{spec.name}_derivative")
    if CURVES[spec.name].alpha is not None:
        return partial(g, alpha=spec.alpha), partial(derivative, alpha=spec.alpha)
    return g, derivative


def softmax(z: Sequence[float]) -> list[float]:
    """Return ``a_i = exp(z_i) / sum_j exp(z_j)``.

    The largest ``z`` is subtracted from all of them first, which changes nothing but keeps every exponent
    at or below zero. A row whose largest value is infinite, or that holds NaN, gives NaN.

    Parameters
    ----------
    z : sequence of n floats

    Returns
    -------
    a : list of n floats, positive and of sum 1

    Examples
    --------
    >>> [round(a, 12) for a in softmax([0.0, math.log(3)])]
    [0.25, 0.75]
    """
    largest = max(z)
    exponentials = [math.exp(value - largest) for value in z]
    total = sum(exponentials)
    return [value / total for value in exponentials]


def softmax_backward(a: Sequence[float], da: Sequence[float]) -> list[float]:
    """Return ``dz_i = a_i * (da_i - sum_j da_j * a_j)``, softmax's Jacobian times ``da``.

    Parameters
    ----------
    a : sequence of n floats, softmax's output
    da : sequence of n floats, the loss's gradient with respect to ``a``

    Returns
    -------
    dz : list of n floats

    Examples
    --------
    >>> softmax_backward([0.25, 0.75], [4.0, 0.0])  # the mean of da is 1
    [0.75, -0.75]
    """
    mean = sum(a_j * da_j for a_j, da_j in zip(a, da, strict=True))
    return [a_i * (da_i - mean) for a_i, da_i in zip(a, da, strict=True)]


def activate(spec: ActivationSpec, z: Sequence[float]) -> list[float]:
    """Return ``a = g(z)``; a softmax with groups is one softmax a group.

    Parameters
    ----------
    spec : ActivationSpec
    z : sequence of n floats, one row

    Returns
    -------
    a : list of n floats

    Examples
    --------
    >>> activate(ActivationSpec("relu"), [-2.0, 3.0])
    [0.0, 3.0]
    >>> activate(ActivationSpec("softmax", groups=(2, 1)), [7.0, 7.0, -4.0])
    [0.5, 0.5, 1.0]
    """
    if spec.name == "softmax":
        return [a_i for group in group_slices(spec, len(z)) for a_i in softmax(z[group])]
    g, _ = curve(spec)
    return [g(value) for value in z]


def activate_backward(
    spec: ActivationSpec, z: Sequence[float], a: Sequence[float], da: Sequence[float]
) -> list[float]:
    """Return ``dz_i = g'(z_i) * da_i``, or softmax's `softmax_backward`, of each group by itself.

    Parameters
    ----------
    spec : ActivationSpec
    z, a : sequences of n floats
        One row before and after the activation.
    da : sequence of n floats
        The loss's gradient with respect to ``a``.

    Returns
    -------
    dz : list of n floats

    Examples
    --------
    >>> activate_backward(ActivationSpec("sigmoid"), [0.0], [0.5], [8.0])  # 8 * 0.5 * (1 - 0.5)
    [2.0]
    """
    if spec.name == "softmax":
        groups = group_slices(spec, len(z))
        return [dz_i for group in groups for dz_i in softmax_backward(a[group], da[group])]
    _, derivative = curve(spec)
    return [derivative(z_i) * da_i for z_i, da_i in zip(z, da, strict=True)]
