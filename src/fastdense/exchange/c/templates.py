"""The C text that a network is written as: ``$real`` is float or double, ``$f`` the suffix of its literals.

The activations are the reference's formulas: no exponent is positive but the exponential's own, and where
a gate has vanished, the product with it is 0 even at minus infinity. NaN passes through each comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from string import Template
from textwrap import indent

from fastdense.core.curves import CURVES

__all__ = [
    "ACTIVATE",
    "ADD",
    "BIAS",
    "BLEND",
    "BODIES",
    "COPY",
    "DENSE",
    "GROUP",
    "HEADER",
    "LEAK",
    "LOOK_UP",
    "MEAN",
    "MULTIPLY",
    "NETWORK",
    "NORMALIZE",
    "PERIODIC",
    "SCALE",
    "SOFTMAX",
    "SOURCE",
    "functions",
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

# 0 and not NaN for minus infinity and a slope of 0.
LEAK = Template("""\
static const $real slope_$k[$units] = {
$slopes
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    for (size_t j = 0; j < $units; ++j) {
        const int vanishes = in[j] < 0 && slope_$k[j] == 0;
        out[j] = in[j] > 0 ? in[j] : vanishes ? 0 : slope_$k[j] * in[j];
    }
}
""")

# A number is converted only if it is in range, which NaN is not: the others are category 0.
LOOK_UP = Template("""\
static const size_t sizes_$k[$columns] = {
$sizes
};
static const $real embeddings_$k[$rows][$width] = {
$embeddings
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    const size_t passed = $passed;
    size_t table = 0;

    for (size_t j = 0; j < passed; ++j) out[j] = in[j];
    for (size_t i = 0; i < $columns; ++i) {
        const $real number = in[passed + i];
        const size_t whole = number >= 0 && number < ($real)sizes_$k[i] ? (size_t)number : 0;
        const size_t row = table + (($real)whole == number ? whole : 0);

        for (size_t j = 0; j < $width; ++j) out[passed + i * $width + j] = embeddings_$k[row][j];
        table += sizes_$k[i];
    }
}
""")

# A factor of 0 makes 0 of infinite numbers too; NaN stays.
MULTIPLY = Template("""\
static const $real scale_$k[$units] = {
$factors
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    for (size_t j = 0; j < $units; ++j) {
        const int vanishes = scale_$k[j] == 0 && in[j] == in[j];
        out[j] = vanishes ? 0 : in[j] * scale_$k[j];
    }
}
""")

# NaN stays: at least one of the two factors is not 0.
BLEND = Template("""\
static const $real share_$k[$units] = {
$shares
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    for (size_t j = 0; j < $units; ++j) {
        const $real share = share_$k[j], rest = 1 - share, g = $curve;
        out[j] = (rest == 0 ? 0 : in[j] * rest) + (share == 0 ? 0 : g * share);
    }
}
""")

# Angles are in double, which keeps the digits of those of many turns.
PERIODIC = Template("""\
static const $real frequency_$k[$columns][$frequencies] = {
$frequency
};
static const $real phase_$k[$columns][$frequencies] = {
$phase
};
static const $real weight_$k[$columns * $frequencies][$sums] = {
$weights
};
static const $real bias_$k[$columns][$sums] = {
$bias
};
static const $real missing_$k[$columns][$width] = {
$missing
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    const size_t passed = $passed;

    for (size_t i = 0; i < $columns; ++i) {
        const int is_missing = in[i] != in[i];
        $real *z = out + i * $width;

        for (size_t j = 0; j < $sums; ++j) z[j] = is_missing ? missing_$k[i][j] : bias_$k[i][j];
        z[$sums] = is_missing ? missing_$k[i][$sums] : in[i];
        for (size_t n = 0; n < $frequencies && !is_missing; ++n) {
            const double turns = (double)frequency_$k[i][n] * (double)in[i];
            const $real wave = ($real)cos(6.283185307179586 * turns + (double)phase_$k[i][n]);

            for (size_t j = 0; j < $sums; ++j) z[j] += wave * weight_$k[i * $frequencies + n][j];
        }
    }
    for (size_t j = 0; j < passed; ++j) out[$columns * $width + j] = in[$columns + j];
}
""")

NORMALIZE = Template("""\
static const $real gamma_$k[$units] = {
$gamma
};
static const $real beta_$k[$units] = {
$beta
};

/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    $real mean = 0, variance = 0, scale;

    for (size_t j = 0; j < $units; ++j) mean += in[j] / $units;
    for (size_t j = 0; j < $units; ++j) variance += (in[j] - mean) * (in[j] - mean) / $units;
    scale = 1 / sqrt$f(variance + $epsilon);
    for (size_t j = 0; j < $units; ++j) out[j] = (in[j] - mean) * scale * gamma_$k[j] + beta_$k[j];
}
""")

ACTIVATE = Template("""\
/* $comment */
static void layer_$k(const $real *in, $real *out)
{
    for (size_t j = 0; j < $units; ++j) out[j] = $curve;
$groups}
""")

NETWORK = Template("""\
/* Network $number. */
static void network_$number(const $real *x, $real *y)
{
$calls
}
""")

MEAN = Template("""\
    $real z[$units];
    double total[$units] = {0};

$networks
    for (size_t j = 0; j < $units; ++j) y[j] = ($real)(total[j] / $count.0);""")

ADD = Template("""\
    network_$number(x, z);
    for (size_t j = 0; j < $units; ++j) total[j] += (double)z[j];""")

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


BODIES = {"times": "return gate == 0 ? 0 : z * gate;"}
BODIES |= {name: curve.c for name, curve in CURVES.items() if curve.c and ";" in curve.c}
"""The activations of one number, except those that ``math.h`` has."""
_SECOND = {"times": ", $real gate"}
_SECOND |= {name: ", $real alpha" for name, curve in CURVES.items() if curve.alpha is not None}


def functions(wanted: Iterable[str]) -> Iterator[Template]:
    """Yield the functions of these activations and those that they call, each once and before its callers."""
    needed = set(_with_called(name for name in wanted if name in BODIES))
    for name in _with_called(BODIES):
        if name in needed:
            body = indent(BODIES[name], "    ")
            yield Template(f"static $real {name}($real z{_SECOND.get(name, '')})\n{{\n{body}\n}}\n")


def _with_called(names: Iterable[str]) -> list[str]:
    called = {name: [each for each in re.findall(r"\w+", BODIES[name]) if each in BODIES] for name in names}
    return list(dict.fromkeys(each for name in called for each in (*_with_called(called[name]), name)))
