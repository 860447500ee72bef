"""The C text that a network is written as: ``$real`` is float or double, ``$f`` the suffix of its literals.

The activations are the reference's formulas: no exponent is positive but the exponential's own, and where
a gate has vanished, the product with it is 0 even at minus infinity. NaN passes through each comparison.
"""

from __future__ import annotations

from string import Template
from typing import NamedTuple

__all__ = [
    "ACTIVATE",
    "BIAS",
    "COPY",
    "CURVES",
    "DENSE",
    "GROUP",
    "HEADER",
    "SCALE",
    "SOFTMAX",
    "SOURCE",
    "Curve",
]

HEADER = Template("""\
/* A dense neural network in C99, written by fastdense.
 *
$drawing
 *
 * The functions keep nothing between calls and allocate nothing; a call takes about $stack bytes of stack.
 * A NaN reaches the outputs, as long as the compiler is not told that there are none (-ffast-math).
 */
#ifndef ${upper}_H
#define ${upper}_H

#include <stddef.h>

#define ${upper}_INPUTS $inputs
#define ${upper}_OUTPUTS $outputs

#ifdef __cplusplus
extern "C" {
#endif

/* Of one row: ${upper}_INPUTS numbers at x to ${upper}_OUTPUTS numbers at y, which must not overlap. */
void ${name}_predict(const $real *x, $real *y);

/* Of many rows, one after another at X and at Y. */
void ${name}_predict_rows(size_t rows, const $real *X, $real *Y);

#ifdef __cplusplus
}
#endif

#endif
""")

SOURCE = Template("""\
/* See $header. */
#include "$header"

#include <math.h>

$functions
void ${name}_predict(const $real *x, $real *y)
{
$calls
}

void ${name}_predict_rows(size_t rows, const $real *X, $real *Y)
{
    for (size_t row = 0; row < rows; ++row) {
        ${name}_predict(X + row * ${upper}_INPUTS, Y + row * ${upper}_OUTPUTS);
    }
}
""")

# The units are innermost: compilers make vectors of them, and z lies where nothing else can point to.
DENSE = Template("""\
static const $real kernel_$k[$inputs][$units] = {
$kernel
};
$bias
/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    $real z[$units];

    for (size_t j = 0; j < $units; ++j) z[j] = $start;
    for (size_t i = 0; i < $inputs; ++i) {
        for (size_t j = 0; j < $units; ++j) z[j] += in[i] * kernel_$k[i][j];
    }
    for (size_t j = 0; j < $units; ++j) out[j] = $curve;
$groups}
""")

BIAS = Template("""\
static const $real bias_$k[$units] = {
$bias
};
""")

SCALE = Template("""\
static const $real mean_$k[$units] = {
$mean
};
static const $real deviation_$k[$units] = {
$deviation
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    for (size_t j = 0; j < $units; ++j) out[j] = (in[j] - mean_$k[j]) / deviation_$k[j];
}
""")

ACTIVATE = Template("""\
/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    for (size_t j = 0; j < $units; ++j) out[j] = $curve;
$groups}
""")

COPY = Template("    for (size_t j = 0; j < $units; ++j) y[j] = x[j];")

GROUP = Template("    softmax(out + $start, $columns);\n")

SOFTMAX = Template("""\
static void softmax($real *a, size_t n)
{
    $real largest = a[0], total = 0;

    for (size_t j = 1; j < n; ++j) largest = a[j] > largest ? a[j] : largest;
    for (size_t j = 0; j < n; ++j) {
        a[j] = exp$f(a[j] - largest);
        total += a[j];
    }
    for (size_t j = 0; j < n; ++j) a[j] /= total;
}
""")


class Curve(NamedTuple):
    """A function of one number in C, and the names of those that it calls, which stand before it."""

    text: Template
    calls: tuple[str, ...] = ()


def _curve(body: str, *calls: str, parameters: str = "$real z") -> Curve:
    """Return the static function whose body is given; the name is filled in later."""
    lines = "".join(f"    {line.strip()}\n" for line in body.strip().splitlines())
    return Curve(Template(f"static $real $name({parameters})\n{{\n{lines}}}\n"), calls)


CURVES = {
    "times": _curve("return gate == 0 ? 0 : z * gate;", parameters="$real z, $real gate"),
    "sigmoid": _curve("""
        const $real decay = exp$f(-fabs$f(z));
        return (z < 0 ? decay : 1) / (1 + decay);
    """),
    "relu": _curve("return z <= 0 ? 0 : z;"),
    "leaky_relu": _curve("return z > 0 ? z : alpha * z;", parameters="$real z, $real alpha"),
    "elu": _curve("return z > 0 ? z : alpha * expm1$f(z);", parameters="$real z, $real alpha"),
    "selu": _curve("return 1.0507009873554805$f * (z > 0 ? z : 1.6732632423543772$f * expm1$f(z));"),
    "gelu": _curve("return times(z, erfc$f(z * -0.7071067811865476$f) / 2);", "times"),
    "gelu_tanh": _curve(
        "return times(z, sigmoid(1.5957691216057308$f * (z + 0.044715$f * z * z * z)));", "times", "sigmoid"
    ),
    "silu": _curve("return times(z, sigmoid(z));", "times", "sigmoid"),
    "softplus": _curve("return (z > 0 ? z : 0) + log1p$f(exp$f(-fabs$f(z)));"),
    "mish": _curve("return times(z, tanh$f(softplus(z)));", "times", "softplus"),
    "relu6": _curve("return z <= 0 ? 0 : z > 6 ? 6 : z;"),
    "hard_sigmoid": _curve("return relu6(z + 3) / 6;", "relu6"),
    "hard_silu": _curve("return times(z, hard_sigmoid(z));", "times", "hard_sigmoid"),
    "softsign": _curve("return fabs$f(z) > 1e30$f ? copysign$f(1, z) : z / (1 + fabs$f(z));"),
}
