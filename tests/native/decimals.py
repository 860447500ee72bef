"""The activations in 50 decimal digits: what the float64 kernels are measured against."""

from __future__ import annotations

from decimal import Decimal, localcontext

DIGITS = 50
PI = Decimal("3.14159265358979323846264338327950288419716939937510582")
SELU_ALPHA, SELU_SCALE = Decimal("1.6732632423543772"), Decimal("1.0507009873554805")


def exact(name: str, z: float, alpha: float) -> float:
    """Return ``g(z)``, correctly rounded, for a finite z."""
    with localcontext() as context:
        context.prec = DIGITS
        return float(FUNCTIONS[name](Decimal(z), Decimal(alpha)))


def _exp(x: Decimal) -> Decimal:
    if abs(x) > 2000:  # far below the smallest float64, or above the largest
        return Decimal(0) if x < 0 else Decimal("inf")
    return x.exp()


def _expm1(x: Decimal) -> Decimal:
    if abs(x) > Decimal("1e-3"):
        return _exp(x) - 1
    total = term = x
    for k in range(2, 18):  # x**18 / 18! is below 1e-69 of x
        term = term * x / k
        total += term
    return total


def _sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + _exp(-x)) if x >= 0 else _exp(x) / (1 + _exp(x))


def _tanh(x: Decimal) -> Decimal:
    m = _expm1(-2 * abs(x))
    return (-m / (2 + m)).copy_sign(x)


def _elu(x: Decimal, alpha: Decimal) -> Decimal:
    return x if x > 0 else alpha * _expm1(x)


def _softplus(x: Decimal) -> Decimal:
    e = _exp(-abs(x))
    series = e - e * e / 2 + e**3 / 3  # log(1 + e) would lose the digits of a small e
    return max(x, Decimal(0)) + ((1 + e).ln() if e > Decimal("1e-15") else series)


def _normal_tail(t: Decimal) -> Decimal:
    """Return the chance that a standard normal number exceeds t >= 0."""
    density = _exp(-t * t / 2) / (2 * PI).sqrt()
    if t > 6:  # Laplace's continued fraction, t + 1 / (t + 2 / (t + 3 / ...
        below = t
        for k in range(600, 0, -1):
            below = t + k / below
        return density / below
    total = term = t  # 1/2 less density times the sum of t**(2 k + 1) / (1 * 3 * 5 ... (2 k + 1))
    for k in range(1, 200):
        term = term * t * t / (2 * k + 1)
        total += term
    return Decimal("0.5") - density * total


def _gelu(x: Decimal) -> Decimal:
    tail = _normal_tail(abs(x)) if abs(x) < 50 else Decimal(0)
    return x * (tail if x < 0 else 1 - tail)


def _gelu_tanh(x: Decimal) -> Decimal:
    return x * _sigmoid(2 * (2 / PI).sqrt() * (x + Decimal("0.044715") * x**3))


def _mish(x: Decimal) -> Decimal:
    e = _exp(-abs(x))
    return x * (e * (e + 2) / (e * (e + 2) + 2) if x < 0 else (1 + 2 * e) / (1 + 2 * e + 2 * e * e))


def _relu6(x: Decimal) -> Decimal:
    return min(max(x, Decimal(0)), Decimal(6))


FUNCTIONS = {
    "linear": lambda x, alpha: x,
    "sigmoid": lambda x, alpha: _sigmoid(x),
    "tanh": lambda x, alpha: _tanh(x),
    "relu": lambda x, alpha: max(x, Decimal(0)),
    "leaky_relu": lambda x, alpha: x if x > 0 else alpha * x,
    "elu": _elu,
    "celu": lambda x, alpha: alpha * _elu(x / alpha, Decimal(1)) if x < 0 else x,
    "selu": lambda x, alpha: SELU_SCALE * _elu(x, SELU_ALPHA),
    "gelu": lambda x, alpha: _gelu(x),
    "gelu_tanh": lambda x, alpha: _gelu_tanh(x),
    "silu": lambda x, alpha: x * _sigmoid(x),
    "mish": lambda x, alpha: _mish(x),
    "softplus": lambda x, alpha: _softplus(x),
    "exponential": lambda x, alpha: _exp(x),
    "relu6": lambda x, alpha: _relu6(x),
    "hard_sigmoid": lambda x, alpha: _relu6(x + 3) / 6,
    "hard_silu": lambda x, alpha: x * _relu6(x + 3) / 6,
    "softsign": lambda x, alpha: x / (1 + abs(x)),
}
