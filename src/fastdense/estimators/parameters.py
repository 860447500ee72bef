"""The estimators' parameters: each one's name, default, allowed values and meaning, written once.

scikit-learn needs a constructor that stores its arguments, a table of what each may be, and a docstring that
lists them all. A dataclass makes the first from its fields; the other two are made of the same fields here.
"""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import KW_ONLY, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, TypeVar, cast, dataclass_transform

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from fastdense import engines, optimizers
from fastdense.activations import ActivationFunction
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import EngineError
from fastdense.optimizers import Optimizer

__all__ = [
    "ACTIVATION_NAMES",
    "LossParameters",
    "SharedParameters",
    "parameter",
    "with_parameters",
]

ACTIVATION_NAMES = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}
"""scikit-learn's names of activations that are called something else here."""
_ACTIVATIONS = StrOptions({*ACTIVATION_NAMES, *ACTIVATIONS} - {"exp", "softmax"})
_FROM_ZERO, _ABOVE_ZERO = Interval(Real, 0, None, closed="left"), Interval(Real, 0, None, closed="neither")
_FRACTION, _COUNT = Interval(Real, 0, 1, closed="left"), Interval(Integral, 1, None, closed="left")

Class = TypeVar("Class", bound=type)


class _Engines(StrOptions):  # type: ignore[misc]
    """The engines' names, those of array libraries with a device among them."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Return True if there is such an engine, installed or not."""
        if not isinstance(val, str):
            return False
        try:
            engines.library_named(val)
        except EngineError:
            return val == "auto"  # which the environment has made a name that there is not
        return True


_ENGINES = _Engines({"auto", *engines.known()})


def parameter(default: Any, allowed: list[Any], kind: str, meaning: str) -> Any:
    """Return a dataclass field: a default, scikit-learn's constraints, and the two parts of its docstring."""
    return field(default=default, metadata={"allowed": allowed, "kind": kind, "meaning": meaning})


@dataclass_transform(eq_default=False, field_specifiers=(parameter,))
def with_parameters(cls: Class) -> Class:
    """Make the fields of a class its constructor's arguments, and complete its docstring.

    "<parameters>" there stands for the list of them, "<attributes>" for the list in a base's docstring.
    """
    made: Any = dataclass(eq=False, repr=False)(cls)
    made._parameter_constraints = {each.name: each.metadata["allowed"] for each in fields(made)}
    if made.__doc__:
        text = inspect.cleandoc(made.__doc__).replace("<parameters>", _numpydoc(made))
        made.__doc__ = text.replace("<attributes>", _attributes(made))
    return cast(Class, made)


def _numpydoc(cls: type) -> str:
    paragraphs = []
    for each in fields(cls):
        meaning = textwrap.fill(inspect.cleandoc(each.metadata["meaning"]), 100, break_on_hyphens=False)
        head = f"{each.name} : {each.metadata['kind']}, default={each.default!r}"
        paragraphs.append(f"{head}\n{textwrap.indent(meaning, '    ')}")
    return "\n".join(paragraphs)


def _attributes(cls: type) -> str:
    """Return the list of attributes in the first docstring of a base that has one."""
    docs = [inspect.cleandoc(base.__doc__ or "") for base in cls.__mro__[1:]]
    return next(
        (doc.partition("Attributes\n----------\n")[2] for doc in docs if "Attributes\n---" in doc), ""
    )


@with_parameters
class LossParameters:
    """What a regressor minimises: the one parameter that stands before `SharedParameters`."""

    loss: str = parameter(
        "squared_error",
        [StrOptions({"squared_error", "poisson", "absolute_error", "huber", "quantile"})],
        "{'squared_error', 'poisson', 'absolute_error', 'huber', 'quantile'}",
        """What is minimised: half the squared error; half the Poisson deviance, for targets from 0 up, with
        the exponential as the output's activation; the absolute error (medians); Huber's loss, a square
        near 0 and a line beyond ``delta``; or the pinball loss of the ``quantile`` that is to be
        predicted.""",
    )


@with_parameters
class SharedParameters:
    """The parameters of both estimators: scikit-learn's in its order, then fastdense's own."""

    hidden_layer_sizes: Any = parameter(
        (100,),
        ["array-like", Interval(Integral, 1, None, closed="left")],
        "int or array-like of int",
        """The units of each hidden layer; () is a network without any.""",
    )
    activation: Any = parameter(
        "relu",
        [_ACTIVATIONS, ActivationFunction, list, tuple],
        "str, ActivationFunction, or a list of one for each hidden layer",
        """The hidden layers' activation: scikit-learn's 'identity', 'logistic', 'tanh' and 'relu', and all
        of `fastdense.activations`.""",
    )
    _: KW_ONLY
    solver: str = parameter(
        "adam",
        [StrOptions({"lbfgs", "sgd", "adam"})],
        "{'lbfgs', 'sgd', 'adam'}",
        """Adam, gradient descent with momentum, or SciPy's L-BFGS on all rows at once.""",
    )
    alpha: float = parameter(
        0.0001,
        [_FROM_ZERO],
        "float",
        """The weight of the L2 penalty: half of alpha times the sum of the squared weights is added to the
        sum of a batch's losses.""",
    )
    batch_size: Any = parameter(
        "auto",
        [StrOptions({"auto"}), _COUNT],
        "int or 'auto'",
        """Rows per step; 'auto' is 200, or all rows if they are fewer. L-BFGS takes all rows.""",
    )
    learning_rate: str = parameter(
        "constant",
        [StrOptions({"constant", "invscaling", "adaptive"})],
        "{'constant', 'invscaling', 'adaptive'}",
        """How solver='sgd' changes its rate: not at all; after each epoch to
        ``learning_rate_init / (t_ + 1) ** power_t``; or to a fifth whenever it would have stopped for lack
        of progress, until it is below 1e-6.""",
    )
    learning_rate_init: float = parameter(
        0.001, [_ABOVE_ZERO], "float", """The learning rate, or the one to start with."""
    )
    power_t: float = parameter(0.5, [_FROM_ZERO], "float", """The exponent of learning_rate='invscaling'.""")
    max_iter: int = parameter(200, [_COUNT], "int", """The most epochs; for L-BFGS the most iterations.""")
    shuffle: bool = parameter(
        True, ["boolean"], "bool", """Whether each epoch takes the rows in a new order."""
    )
    random_state: Any = parameter(
        None,
        ["random_state"],
        "int, RandomState instance or None",
        """Where the initial weights, the rows held out, the orders and the dropout masks come from. The
        draws are scikit-learn's: the same seed starts from its weights and takes its batches.""",
    )
    tol: float = parameter(
        1e-4,
        [_FROM_ZERO],
        "float",
        """What the loss, or with early_stopping the validation score, must improve by to count as progress.
        For L-BFGS, the largest element of a gradient that is called zero.""",
    )
    verbose: Any = parameter(
        False, ["verbose"], "bool or int", """Whether to print a line per epoch and why training stopped."""
    )
    warm_start: bool = parameter(
        False, ["boolean"], "bool", """Whether `fit` starts from the weights of the last one."""
    )
    momentum: float = parameter(
        0.9, [Interval(Real, 0, 1, closed="both")], "float", """The momentum of solver='sgd'."""
    )
    nesterovs_momentum: bool = parameter(
        True, ["boolean"], "bool", """Whether that momentum is Nesterov's."""
    )
    early_stopping: bool = parameter(
        False,
        ["boolean"],
        "bool",
        """Whether to watch the score of validation rows, to stop when it no longer improves, and to go back
        to the weights that scored best. The rows are ``X_val`` and ``y_val`` where `fit` is given them, and
        else a ``validation_fraction`` of the training rows.""",
    )
    validation_fraction: float = parameter(
        0.1, [_FRACTION], "float", """The share of rows that early_stopping holds out."""
    )
    beta_1: float = parameter(0.9, [_FRACTION], "float", """Adam's memory of gradients.""")
    beta_2: float = parameter(0.999, [_FRACTION], "float", """Adam's memory of their squares.""")
    epsilon: float = parameter(1e-8, [_ABOVE_ZERO], "float", """What Adam adds to a divisor.""")
    n_iter_no_change: Any = parameter(
        10,
        [_COUNT, Options(Real, {np.inf})],
        "int or inf",
        """Epochs without progress, one after another, that training goes on for.""",
    )
    max_fun: int = parameter(15000, [_COUNT], "int", """The most times that L-BFGS evaluates the loss.""")
    dtype: str = parameter(
        "float32",
        [StrOptions({"float32", "float64", "auto"})],
        "{'float32', 'float64', 'auto'}",
        """What the network computes in; 'auto' follows ``X``, as scikit-learn does. With L-BFGS it is
        float64, and instead of float32 if the data have float64 columns that float32 cannot tell apart:
        their mean is over 16384 standard deviations, as that of seconds since 1970 may be.""",
    )
    engine: str | engines.Library = parameter(
        "auto",
        [_ENGINES, engines.Library],
        "str or Library",
        """What computes: see `fastdense.engines.choose`.""",
    )
    n_threads: int | None = parameter(
        None,
        [None, _COUNT],
        "int or None",
        """The most threads to use; None leaves it to `fastdense.set_threads` and the environment. The
        results are the same bits for any number.""",
    )
    optimizer: Any = parameter(
        None,
        [None, StrOptions(set(optimizers.FAMILY.names())), Optimizer],
        "str, Optimizer or None",
        """One of `fastdense.optimizers` in place of the solver's, with its own learning rate or schedule,
        clipping and weight decay. It is not changed: a copy of its settings trains.""",
    )
    dropout: float = parameter(
        0.0, [_FRACTION], "float", """The share of every hidden layer's units that each step leaves out."""
    )
    global_clipnorm: float | None = parameter(
        None,
        [None, _ABOVE_ZERO],
        "float or None",
        """The longest that all gradients together may be; longer ones are scaled down.""",
    )
    max_time: float | None = parameter(
        None,
        [None, _ABOVE_ZERO],
        "float or None",
        """Seconds after which training stops: at the end of a step, within a tenth of a second or so; L-BFGS
        at the end of an iteration.""",
    )
