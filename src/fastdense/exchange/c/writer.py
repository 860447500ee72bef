"""Write a network as a C header and source file: its numbers as constants, a function for each layer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import text
from fastdense.core.curves import CURVES
from fastdense.core.files import atomic_files
from fastdense.core.spec import (
    ActivateSpec,
    ActivationSpec,
    DenseSpec,
    DropoutSpec,
    LayerSpec,
    ScaleSpec,
    group_slices,
)
from fastdense.errors import FormatError
from fastdense.exchange.c import templates
from fastdense.exchange.content import Content

__all__ = ["write"]

Array = NDArray[Any]

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9_.+-]+")  # within quotes and comments of C's
_SPECIAL = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}
_NUMBERS_A_LINE = 8
# C's and POSIX' own that compilers and their libraries include by such a name.
_HEADERS = re.compile(
    r"alloca|assert|complex|ctype|endian|errno|fcntl|features|fenv|float|inttypes|iso646|limits|locale|"
    r"malloc|math|memory|mm_malloc|pthread|sched|semaphore|setjmp|signal|stdalign|stdarg|stdatomic|"
    r"stdbool|stdckdint|stdc-predef|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|tgmath|threads|"
    r"time|uchar|unistd|wchar|wctype",
    re.IGNORECASE,
)


class Numbers(NamedTuple):
    """A type of C's, the suffix of its literals and functions, and the same type of NumPy's."""

    real: str
    f: str
    type: type[np.floating[Any]]

    def literal(self, value: Any) -> str:
        """Return the shortest text that is read as this number again."""
        digits = str(value)
        return _SPECIAL.get(digits, f"{digits}{self.f}")

    def array(self, values: Array, indent: int = 4) -> str:
        """Return a vector's or a matrix's numbers between the braces of its initialiser."""
        if values.ndim == 2:
            return ",\n".join(f"    {{{self.array(row, 5).lstrip()}}}" for row in values)
        texts = [self.literal(value) for value in values]
        lines = [texts[i : i + _NUMBERS_A_LINE] for i in range(0, len(texts), _NUMBERS_A_LINE)]
        return ",\n".join(f"{'':{indent}}{', '.join(line)}" for line in lines)


_NUMBERS = {"float32": Numbers("float", "f", np.float32), "float64": Numbers("double", "", np.float64)}


class Step(NamedTuple):
    """A layer that computes: its place in the network, and the arrays that go with it."""

    k: int
    spec: LayerSpec
    arrays: tuple[Array, ...]


def write(content: Content, path: str | os.PathLike[str], name: str | None = None) -> None:
    """Write a network; see `fastdense.formats.c.write_c`."""
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
    texts = _texts(content, name, header.name)
    with atomic_files(header, source) as files:
        for file, lines in zip(files, texts, strict=True):
            file.write(lines.encode("ascii"))


def _texts(content: Content, name: str, header: str) -> tuple[str, str]:
    """Return the header's and the source file's text."""
    network = content.network
    numbers, n_in, n_out = _NUMBERS[network.dtype], network.n_in, network.n_out
    steps = list(_steps(network.layers, content.parameters, network.dtype))
    buffers = _buffers(steps)
    widest = max((s.spec.n_units for s in steps if isinstance(s.spec, DenseSpec)), default=0)
    common = {**numbers._asdict(), "name": name, "upper": name.upper(), "header": header}
    head = templates.HEADER.substitute(
        common,
        drawing="\n".join(f" *   {line}".rstrip() for line in _drawing(n_in, network.layers)),
        inputs=n_in,
        outputs=n_out,
        stack=np.dtype(network.dtype).itemsize * (sum(buffers.values()) + widest),
    )
    functions = [*_curves(steps, numbers), *(_layer(step, numbers) for step in steps)]
    calls = "\n".join(_calls(steps, buffers, numbers)) or templates.COPY.substitute(units=n_in)
    return head, templates.SOURCE.substitute(common, functions="\n".join(functions), calls=calls)


def _steps(
    layers: Iterable[LayerSpec], parameters: Iterable[tuple[Array, ...]], dtype: str
) -> Iterator[Step]:
    """Yield the layers that change a prediction, with their arrays in the network's dtype."""
    for k, (spec, arrays) in enumerate(zip(layers, parameters, strict=True), start=1):
        idle = isinstance(spec, ActivateSpec) and spec.activation.name == "linear"
        if not (idle or isinstance(spec, DropoutSpec)):
            with np.errstate(over="ignore"):  # statistics beyond float32 are infinite in it, as such data are
                yield Step(k, spec, tuple(array.astype(dtype, copy=False) for array in arrays))


def _drawing(n_in: int, layers: Iterable[LayerSpec]) -> Iterator[str]:
    """Yield the lines that show the network."""
    yield f"{'input':<8}{n_in:>6}"
    for spec in layers:
        yield f"{_kind(spec):<8}{spec.n_units:>6}  {_about(spec)}"


def _kind(spec: LayerSpec) -> str:
    return type(spec).__name__.removesuffix("Spec").lower()


def _about(spec: LayerSpec) -> str:
    """Return what a layer does, in a few words."""
    match spec:
        case DenseSpec() | ActivateSpec():
            alpha = f"({spec.activation.alpha:g})" if spec.activation.alpha else ""
            groups = f" by groups of {', '.join(map(str, spec.activation.groups))}"
            return f"{spec.activation.name}{alpha}{groups if spec.activation.groups else ''}"
        case DropoutSpec():
            return f"{spec.rate:g} of them, in training only"
        case ScaleSpec():
            return "(x - mean) / deviation"
        case _:
            assert_never(spec)


def _comment(step: Step) -> str:
    return (
        f"Layer {step.k}: {_kind(step.spec)}, {step.spec.n_in} to {step.spec.n_units}, {_about(step.spec)}."
    )


def _layer(step: Step, numbers: Numbers) -> str:
    """Return a layer's constants and function."""
    spec, sizes = step.spec, {"inputs": step.spec.n_in, "units": step.spec.n_units}
    common = {**numbers._asdict(), **sizes, "k": step.k, "comment": _comment(step)}
    match spec:
        case DenseSpec():
            kernel, *bias = map(numbers.array, step.arrays)
            return templates.DENSE.substitute(
                common,
                kernel=kernel,
                bias=templates.BIAS.substitute(common, bias=bias[0]) if bias else "",
                start=f"bias_{step.k}[j]" if bias else "0",
                curve=_call(spec.activation, "z[j]", numbers),
                groups=_groups(spec.activation, spec.n_units),
            )
        case ActivateSpec():
            curve, groups = _call(spec.activation, "in[j]", numbers), _groups(spec.activation, spec.n_units)
            return templates.ACTIVATE.substitute(common, curve=curve, groups=groups)
        case ScaleSpec():
            mean, deviation = map(numbers.array, step.arrays)
            return templates.SCALE.substitute(common, mean=mean, deviation=deviation)
        case DropoutSpec():
            return ""
        case _:
            assert_never(spec)


def _curve_name(activation: ActivationSpec) -> str | None:
    """Return the C function of an activation; None where there is none to call on each number."""
    if activation.name == "leaky_relu" and activation.alpha == 0:
        return "relu"  # not 0 * -infinity
    return activation.name if CURVES[activation.name].c else None


def _call(activation: ActivationSpec, z: str, numbers: Numbers) -> str:
    """Return the expression of the activation of one number."""
    name = _curve_name(activation)
    if name is None:
        return z
    curve = CURVES[name]
    alpha = "" if curve.alpha is None else f", {numbers.literal(numbers.type(activation.alpha))}"
    function = name if name in templates.BODIES else str(curve.c).replace("$f", numbers.f)
    return f"{function}({z}{alpha})"


def _groups(activation: ActivationSpec, units: int) -> str:
    """Return the calls of softmax, one a group of columns."""
    if activation.name != "softmax":
        return ""
    slices = group_slices(activation, units)
    return "".join(templates.GROUP.substitute(start=s.start, columns=s.stop - s.start) for s in slices)


def _curves(steps: Iterable[Step], numbers: Numbers) -> Iterator[str]:
    """Yield the functions that the layers call, each once and before those that call it."""
    activations = [step.spec.activation for step in steps]
    wanted = {name for activation in activations if (name := _curve_name(activation))}
    for function in templates.functions(wanted):
        yield function.substitute(numbers._asdict())
    if any(activation.name == "softmax" for activation in activations):
        yield templates.SOFTMAX.substitute(numbers._asdict())


def _buffers(steps: list[Step]) -> dict[str, int]:
    """Return the arrays between the layers, used in turn, and how many numbers each must hold."""
    between = [step.spec.n_units for step in steps[:-1]]
    return {name: max(widths) for name, widths in (("a", between[::2]), ("b", between[1::2])) if widths}


def _calls(steps: list[Step], buffers: dict[str, int], numbers: Numbers) -> Iterator[str]:
    """Yield the lines that take a row through the layers."""
    if buffers:
        sizes = ", ".join(f"{name}[{size}]" for name, size in buffers.items())
        yield f"    {numbers.real} {sizes};\n"
    source = "x"
    for i, step in enumerate(steps):
        target = "y" if i == len(steps) - 1 else "ab"[i % 2]
        yield f"    layer_{step.k}({source}, {target});"
        source = target
