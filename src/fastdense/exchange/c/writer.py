"""Write a network as a C header and source file: its numbers as constants, a function for each layer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import text
from fastdense.core.curves import CURVES
from fastdense.core.files import atomic_files
from fastdense.core.spec import group_slices
from fastdense.core.spec.lowering import (
    BlendColumns,
    Curve,
    Dropout,
    LeakColumns,
    LookUpColumns,
    NormalizeRows,
    PeriodicColumns,
    Primitive,
    Product,
    ScaleColumns,
    Softmax,
    StandardizeColumns,
)
from fastdense.errors import FormatError
from fastdense.exchange.c import templates
from fastdense.exchange.content import Content

__all__ = ["write", "write_mean"]

Array = NDArray[Any]

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9_.+-]+")  # in C's quotes and comments
_SPECIAL = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}
_NUMBERS_A_LINE = 8
# Headers of C and POSIX, which compilers and their libraries include by these names.
_HEADERS = re.compile(
    r"alloca|assert|complex|ctype|endian|errno|fcntl|features|fenv|float|inttypes|iso646|limits|locale|"
    r"malloc|math|memory|mm_malloc|pthread|sched|semaphore|setjmp|signal|stdalign|stdarg|stdatomic|"
    r"stdbool|stdckdint|stdc-predef|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|tgmath|threads|"
    r"time|uchar|unistd|wchar|wctype",
    re.IGNORECASE,
)


class Numbers(NamedTuple):
    """A C type, the suffix of its literals and functions, and NumPy's name of the same type."""

    real: str
    f: str
    type: type[np.floating[Any]]

    def literal(self, value: Any) -> str:
        """Return the shortest text that is read as this number again."""
        digits = str(value)
        return _SPECIAL.get(digits, f"{digits}{self.f}")

    def array(self, values: Array, indent: int = 4) -> str:
        """Return a vector's or a matrix's numbers between the braces of its initialiser."""
        with np.errstate(over="ignore"):  # statistics beyond float32 are infinite in it, as such data are
            values = values.astype(self.type, copy=False)
        if values.ndim == 2:
            return ",\n".join(f"    {{{self.array(row, 5).lstrip()}}}" for row in values)
        texts = [self.literal(value) for value in values]
        lines = [texts[i : i + _NUMBERS_A_LINE] for i in range(0, len(texts), _NUMBERS_A_LINE)]
        return ",\n".join(f"{'':{indent}}{', '.join(line)}" for line in lines)


_NUMBERS = {"float32": Numbers("float", "f", np.float32), "float64": Numbers("double", "", np.float64)}


class Step(NamedTuple):
    """A function of the file: a primitive, or a product with the curve after it.

    Its label is its layer's place in the network, followed by its own number if the layer has several.
    """

    label: str
    kind: str
    primitives: list[Primitive]
    n_in: int
    n_units: int


def write(content: Content, path: str | os.PathLike[str], name: str | None = None) -> None:
    """Write a network; see `fastdense.formats.c.write_c`."""
    write_mean([content], path, name)


def write_mean(contents: Sequence[Content], path: str | os.PathLike[str], name: str | None = None) -> None:
    """Write the mean of the outputs of networks that have the same inputs, outputs and dtype."""
    source = Path(path)
    if source.suffix != ".c" or not _FILE_NAME.fullmatch(source.name):
        raise FormatError(
            f"C is written to a file with a name of letters, digits, _, . and - that ends in .c, got "
            f"{os.fspath(path)!r}"
        )
    if _HEADERS.fullmatch(source.stem):
        raise FormatError(
            f"{source.stem}.h is one of C's own headers, and compilers would take one for the other: choose "
            f"another name than {os.fspath(path)!r}"
        )
    name = source.stem if name is None else name
    if not _IDENTIFIER.fullmatch(text("name", name)):
        raise FormatError(
            f"functions' names must begin with a C identifier (letters, digits and _, a letter first), got "
            f"{name!r}: give one as name="
        )
    header = source.with_suffix(".h")
    texts = _texts(contents, name, header.name)
    with atomic_files(header, source) as files:
        for file, lines in zip(files, texts, strict=True):
            file.write(lines.encode("ascii"))


def _texts(contents: Sequence[Content], name: str, header: str) -> tuple[str, str]:
    """Return the header's and the source file's text."""
    network, several = contents[0].network, len(contents) > 1
    numbers, n_in, n_out = _NUMBERS[network.dtype], network.n_in, network.n_out
    each = [list(_steps(own, f"{i}_" if several else "")) for i, own in enumerate(contents)]
    common = {**numbers._asdict(), "name": name, "upper": name.upper(), "header": header}
    head = templates.HEADER.substitute(
        common,
        drawing="\n".join(f" *   {line}".rstrip() for line in _drawings(contents)),
        inputs=n_in,
        outputs=n_out,
        stack=max(_stack(steps, numbers) for steps in each) + (_room(n_out, numbers) if several else 0),
    )
    functions = [*_curves(chain.from_iterable(each), numbers)]
    functions += [_function(step, numbers) for steps in each for step in steps]
    bodies = ["\n".join(_calls(steps, numbers)) or templates.COPY.substitute(units=n_in) for steps in each]
    if several:
        functions += [
            templates.NETWORK.substitute(common, number=i, calls=body) for i, body in enumerate(bodies)
        ]
    calls = _mean(len(bodies), n_out, numbers) if several else bodies[0]
    return head, templates.SOURCE.substitute(common, functions="\n".join(functions), calls=calls)


def _stack(steps: Sequence[Step], numbers: Numbers) -> int:
    """Return the bytes that a network's arrays take."""
    widest = max((step.n_units for step in steps if isinstance(step.primitives[0], Product)), default=0)
    return np.dtype(numbers.type).itemsize * (sum(_buffers(steps).values()) + widest)


def _room(units: int, numbers: Numbers) -> int:
    """Return the bytes that one network's outputs and the sums of all take."""
    return units * (np.dtype(numbers.type).itemsize + np.dtype(np.float64).itemsize)


def _mean(count: int, units: int, numbers: Numbers) -> str:
    """Return the lines that add the outputs of networks in their order, in double, and divide them."""
    added = "\n".join(templates.ADD.substitute(number=i, units=units) for i in range(count))
    return templates.MEAN.substitute(numbers._asdict(), units=units, networks=added, count=count)


def _steps(content: Content, start: str) -> Iterator[Step]:
    """Yield the functions that take a row from the input to the output; their labels begin with ``start``."""
    for k, (layer, primitives) in enumerate(zip(content.network.layers, content.primitives, strict=True), 1):
        width, joined = layer.n_in, _joined(primitives)
        for i, parts in enumerate(joined, 1):
            n_units = parts[0].n_units(width)
            label = f"{start}{k}_{i}" if len(joined) > 1 else f"{start}{k}"
            yield Step(label, layer.kind, parts, width, n_units)
            width = n_units


def _joined(primitives: Iterable[Primitive]) -> list[list[Primitive]]:
    """Return the primitives that compute, each product with the curve after it."""
    found: list[list[Primitive]] = []
    for primitive in primitives:
        if isinstance(primitive, Curve | Softmax) and found and isinstance(found[-1][-1], Product):
            found[-1].append(primitive)
        elif primitive.computes:
            found.append([primitive])
    return found


def _drawings(contents: Sequence[Content]) -> Iterator[str]:
    """Yield the lines that show the network, or the first of several."""
    if len(contents) > 1:
        yield f"The mean of {len(contents)} networks; the first:"
    yield from _drawing(contents[0])


def _drawing(content: Content) -> Iterator[str]:
    """Yield the lines that show a network."""
    network = content.network
    yield f"{'input':<8}{network.n_in:>6}"
    for layer, primitives in zip(network.layers, content.primitives, strict=True):
        yield f"{layer.kind:<8}{layer.n_units:>6}  {_about(primitives)}"


def _about(primitives: Iterable[Primitive]) -> str:
    """Return what primitives do, in a few words."""
    return ", ".join(words for words in map(_words, primitives) if words) or "linear"


def _words(primitive: Primitive) -> str:
    match primitive:
        case Product():
            return ""
        case StandardizeColumns():
            return "(x - mean) / deviation"
        case NormalizeRows():
            return "(x - mean) / deviation of the row, times gamma plus beta"
        case LeakColumns():
            return "x above 0, otherwise slope * x"
        case PeriodicColumns():
            columns, width = primitive.missing.shape
            return f"the first {columns} as {width} numbers each, by cosines"
        case LookUpColumns(_, sizes):
            return f"category numbers in the last {len(sizes)}, each to {primitive.width} numbers"
        case ScaleColumns():
            return "x * scale"
        case BlendColumns(_, g):
            return f"x + alpha * ({_words(g)}(x) - x)"
        case Curve(name, alpha):
            return f"{name}({alpha:g})" if alpha else name
        case Softmax(groups):
            return f"softmax by groups of {', '.join(map(str, groups))}" if groups else "softmax"
        case Dropout(rate):
            return f"{rate:g} of them, in training only"
        case _:
            assert_never(primitive)


def _function(step: Step, numbers: Numbers) -> str:
    """Return a step's constants and function."""
    label, kind, (first, *rest), n_in, n_units = step
    comment = f"Layer {label}: {kind}, {n_in} to {n_units}, {_about(step.primitives)}."
    common = {**numbers._asdict(), "inputs": n_in, "units": n_units, "k": label, "comment": comment}
    match first:
        case Product(W, B):
            bias = "" if B is None else templates.BIAS.substitute(common, bias=numbers.array(B))
            return templates.DENSE.substitute(
                common,
                kernel=numbers.array(W),
                bias=bias,
                start="0" if B is None else f"bias_{label}[j]",
                curve=_call(rest, "z[j]", numbers),
                groups=_groups(rest, n_units),
            )
        case StandardizeColumns():
            mean, deviation = numbers.array(first.mean), numbers.array(first.deviation)
            return templates.SCALE.substitute(common, mean=mean, deviation=deviation)
        case NormalizeRows(gamma, beta, epsilon):
            ones, dtype = np.ones(n_units, numbers.type), numbers.type
            gamma, beta = (ones if gamma is None else gamma), (0 * ones if beta is None else beta)
            return templates.NORMALIZE.substitute(
                common,
                gamma=numbers.array(gamma),
                beta=numbers.array(beta),
                epsilon=numbers.literal(dtype(epsilon)),
            )
        case LeakColumns(slopes):
            return templates.LEAK.substitute(common, slopes=numbers.array(slopes))
        case PeriodicColumns(frequency, phase, kernel, bias, missing):
            columns, frequencies, sums = kernel.shape
            arrays = {"frequency": frequency, "phase": phase, "bias": bias, "missing": missing}
            arrays["weights"] = kernel.reshape(columns * frequencies, sums)
            written = {name: numbers.array(array) for name, array in arrays.items()}
            sizes = {"columns": columns, "frequencies": frequencies, "sums": sums, "width": sums + 1}
            return templates.PERIODIC.substitute(common, **written, **sizes, passed=first.passed)
        case LookUpColumns(passed, sizes, embeddings):
            return templates.LOOK_UP.substitute(
                common,
                passed=passed,
                columns=len(sizes),
                sizes=f"    {', '.join(map(str, sizes))}",
                rows=len(embeddings),
                width=first.width,
                embeddings=numbers.array(embeddings),
            )
        case ScaleColumns(factors):
            return templates.MULTIPLY.substitute(common, factors=numbers.array(factors))
        case BlendColumns(shares, g):
            activated = _call([g], "in[j]", numbers)
            return templates.BLEND.substitute(common, shares=numbers.array(shares), curve=activated)
        case Curve() | Softmax():
            curve, groups = _call([first], "in[j]", numbers), _groups([first], n_units)
            return templates.ACTIVATE.substitute(common, curve=curve, groups=groups)
        case Dropout():
            return ""
        case _:
            assert_never(first)


def _called(curve: Curve) -> Curve:
    """Return the curve whose C function is called."""
    return Curve("relu") if curve.name == "leaky_relu" and curve.alpha == 0 else curve  # not 0 * -infinity


def _call(curves: Iterable[Primitive], z: str, numbers: Numbers) -> str:
    """Return the expression of one number after the curves that are functions of one."""
    for g in (_called(each) for each in curves if isinstance(each, Curve)):
        curve = CURVES[g.name]
        alpha = "" if curve.alpha is None else f", {numbers.literal(numbers.type(g.alpha))}"
        function = g.name if g.name in templates.BODIES else str(curve.c).replace("$f", numbers.f)
        z = f"{function}({z}{alpha})"
    return z


def _groups(curves: Iterable[Primitive], units: int) -> str:
    """Return the calls of softmax, one per group of columns."""
    slices = [s for curve in curves if isinstance(curve, Softmax) for s in group_slices(curve, units)]
    return "".join(templates.GROUP.substitute(start=s.start, columns=s.stop - s.start) for s in slices)


def _curves(steps: Iterable[Step], numbers: Numbers) -> Iterator[str]:
    """Yield the functions that the layers call, each once and before those that call it."""
    primitives = [primitive for step in steps for primitive in step.primitives]
    curves = [p.curve if isinstance(p, BlendColumns) else p for p in primitives]
    for function in templates.functions({_called(p).name for p in curves if isinstance(p, Curve)}):
        yield function.substitute(numbers._asdict())
    if any(isinstance(primitive, Softmax) for primitive in primitives):
        yield templates.SOFTMAX.substitute(numbers._asdict())


def _buffers(steps: Sequence[Step]) -> dict[str, int]:
    """Return the arrays between the layers, used in turn, and how many numbers each must hold."""
    between = [step.n_units for step in steps[:-1]]
    return {name: max(widths) for name, widths in (("a", between[::2]), ("b", between[1::2])) if widths}


def _calls(steps: Sequence[Step], numbers: Numbers) -> Iterator[str]:
    """Yield the lines that take a row through the layers."""
    if buffers := _buffers(steps):
        sizes = ", ".join(f"{name}[{size}]" for name, size in buffers.items())
        yield f"    {numbers.real} {sizes};\n"
    source = "x"
    for i, step in enumerate(steps):
        target = "y" if i == len(steps) - 1 else "ab"[i % 2]
        yield f"    layer_{step.label}({source}, {target});"
        source = target
