"""The estimators' parameters: each one's name, default, allowed values and meaning, written once.

scikit-learn needs a constructor that stores its arguments, a table of what each may be, and a docstring that
lists them all; the three follow from one declaration.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import cache
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import (
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from fastdense import engines, optimizers
from fastdense.activations import ActivationFunction
from fastdense.core.parameters import Declared, parameter
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import EngineError
from fastdense.optimizers import Optimizer

__all__ = [
    "ACTIVATION_NAMES",
    "Allowed",
    "LossParameters",
    "SharedParameters",
    "validated",
]

ACTIVATION_NAMES = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}
"""scikit-learn's names of activations that are called something else here."""
_ACTIVATIONS = StrOptions({*ACTIVATION_NAMES, *ACTIVATIONS} - {"exp", "softmax"})
_FROM_ZERO, _ABOVE_ZERO = Interval(Real, 0, None, closed="left"), Interval(Real, 0, None, closed="neither")
_FRACTION, _COUNT = Interval(Real, 0, 1, closed="left"), Interval(Integral, 1, None, closed="left")


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


_UNKNOWN = object()
_ENGINES = _Engines({"auto", *engines.known()})


class Allowed:
    """The check of a parameter that is stored as it is given, and checked by scikit-learn when it is used.

    Parameters
    ----------
    *constraints : object
        What scikit-learn's validation of parameters takes.
    """

    def __init__(self, *constraints: Any) -> None:
        self.constraints = list(constraints)

    def __call__(self, name: str, value: Any) -> Any:
        """Return the value."""
        return value


class Parameters(Declared):
    """Base of the classes that declare an estimator's parameters."""

    _parameter_constraints: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_parameter_constraints" not in vars(cls):
            checks = {name: each.check for name, each in cls.declared.items()}
            cls._parameter_constraints = {
                name: check.constraints for name, check in checks.items() if isinstance(check, Allowed)
            }
        if cls.__doc__:
            cls.__doc__ = cls.__doc__.replace("<attributes>", _attributes(cls))

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Return the parameters' names, which scikit-learn reads off the constructor at every call."""
        names: list[str] = super()._get_param_names()  # type: ignore[misc]
        return names

    def _validate_params(self: Any) -> None:
        """Validate the parameters as scikit-learn does, except those that have their default."""
        validated(self, {name: each.default for name, each in self.declared.items()})


def validated(estimator: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return an estimator's parameters, validated except those that are these very objects.

    Raises
    ------
    ValueError
        What scikit-learn's validation raises.
    """
    given: dict[str, Any] = estimator.get_params(deep=False)
    others = {name: value for name, value in given.items() if value is not known.get(name, _UNKNOWN)}
    validate_parameter_constraints(estimator._parameter_constraints, others, type(estimator).__name__)
    return given


def _attributes(cls: type) -> str:
    """Return the list of attributes in the first docstring of a base that has one."""
    docs = [inspect.cleandoc(base.__doc__ or "") for base in cls.__mro__[1:]]
    return next(
        (doc.partition("Attributes\n----------\n")[2] for doc in docs if "Attributes\n---" in doc), ""
    )


class LossParameters(Parameters):
    """What a regressor minimises: the one parameter that stands before `SharedParameters`."""

    loss: str = parameter(
        Allowed(StrOptions({"squared_error", "poisson", "absolute_error", "huber", "quantile"})),
        """What is minimised: half the squared error; half the Poisson deviance, for targets from 0 up, with
        the exponential as the output's activation; the absolute error (medians); Huber's loss, a square
        near 0 and a line beyond ``delta``; or the pinball loss of the ``quantile`` that is to be
        predicted.""",
        default="squared_error",
        kind="{'squared_error', 'poisson', 'absolute_error', 'huber', 'quantile'}",
    )


class SharedParameters(Parameters):
    """The parameters of both estimators: scikit-learn's in its order, then fastdense's own."""

    hidden_layer_sizes: Any = parameter(
        Allowed("array-like", Interval(Integral, 1, None, closed="left")),
        "The units of each hidden layer; () is a network without any.",
        default=(100,),
        kind="int or array-like of int",
    )
    activation: Any = parameter(
        Allowed(_ACTIVATIONS, ActivationFunction, list, tuple),
        """The hidden layers' activation: scikit-learn's 'identity', 'logistic', 'tanh' and 'relu', and all
        of `fastdense.activations`.""",
        default="relu",
        kind="str, ActivationFunction, or a list of one for each hidden layer",
    )
    _: KW_ONLY
    solver: str = parameter(
        Allowed(StrOptions({"lbfgs", "sgd", "adam"})),
        "Adam, gradient descent with momentum, or SciPy's L-BFGS on all rows at once.",
        default="adam",
        kind="{'lbfgs', 'sgd', 'adam'}",
    )
    alpha: float = parameter(
        Allowed(_FROM_ZERO),
        """The weight of the L2 penalty: half of alpha times the sum of the squared weights is added to the
        sum of a batch's losses.""",
        default=0.0001,
    )
    batch_size: Any = parameter(
        Allowed(StrOptions({"auto"}), _COUNT),
        "Rows per step; 'auto' is 200, or all rows if they are fewer. L-BFGS takes all rows.",
        default="auto",
        kind="int or 'auto'",
    )
    learning_rate: str = parameter(
        Allowed(StrOptions({"constant", "invscaling", "adaptive"})),
        """How solver='sgd' changes its rate: not at all; after each epoch to
        ``learning_rate_init / (t_ + 1) ** power_t``; or to a fifth whenever it would have stopped for lack
        of progress, until it is below 1e-6.""",
        default="constant",
        kind="{'constant', 'invscaling', 'adaptive'}",
    )
    learning_rate_init: float = parameter(
        Allowed(_ABOVE_ZERO), "The learning rate, or the one to start with.", default=0.001
    )
    power_t: float = parameter(
        Allowed(_FROM_ZERO), "The exponent of learning_rate='invscaling'.", default=0.5
    )
    max_iter: int = parameter(
        Allowed(_COUNT), "The most epochs; for L-BFGS the most iterations.", default=200
    )
    shuffle: bool = parameter(
        Allowed("boolean"), "Whether each epoch takes the rows in a new order.", default=True
    )
    random_state: Any = parameter(
        Allowed("random_state"),
        """Where the initial weights, the rows held out, the orders and the dropout masks come from. The
        draws are scikit-learn's: the same seed starts from its weights and takes its batches.""",
        default=None,
        kind="int or RandomState instance",
    )
    tol: float = parameter(
        Allowed(_FROM_ZERO),
        """What the loss, or with early_stopping the validation score, must improve by to count as progress.
        For L-BFGS, the largest element of a gradient that is called zero.""",
        default=1e-4,
    )
    verbose: Any = parameter(
        Allowed("verbose"),
        "Whether to print a line per epoch and why training stopped.",
        default=False,
        kind="bool or int",
    )
    warm_start: bool = parameter(
        Allowed("boolean"), "Whether `fit` starts from the weights of the last one.", default=False
    )
    momentum: float = parameter(
        Allowed(Interval(Real, 0, 1, closed="both")), "The momentum of solver='sgd'.", default=0.9
    )
    nesterovs_momentum: bool = parameter(
        Allowed("boolean"), "Whether that momentum is Nesterov's.", default=True
    )
    early_stopping: bool = parameter(
        Allowed("boolean"),
        """Whether to watch the score of validation rows, to stop when it no longer improves, and to go back
        to the weights that scored best. The rows are ``X_val`` and ``y_val`` where `fit` is given them, and
        else a ``validation_fraction`` of the training rows.""",
        default=False,
    )
    validation_fraction: float = parameter(
        Allowed(_FRACTION), "The share of rows that early_stopping holds out.", default=0.1
    )
    beta_1: float = parameter(Allowed(_FRACTION), "Adam's memory of gradients.", default=0.9)
    beta_2: float = parameter(Allowed(_FRACTION), "Adam's memory of their squares.", default=0.999)
    epsilon: float = parameter(Allowed(_ABOVE_ZERO), "What Adam adds to a divisor.", default=1e-8)
    n_iter_no_change: Any = parameter(
        Allowed(_COUNT, Options(Real, {np.inf})),
        "Epochs without progress, one after another, that training goes on for.",
        default=10,
        kind="int or inf",
    )
    max_fun: int = parameter(Allowed(_COUNT), "The most times that L-BFGS evaluates the loss.", default=15000)
    dtype: str = parameter(
        Allowed(StrOptions({"float32", "float64", "auto"})),
        """What the network computes in; 'auto' follows ``X``, as scikit-learn does. With L-BFGS it is
        float64, and instead of float32 if the data have float64 columns that float32 cannot tell apart:
        their mean is over 16384 standard deviations, as that of seconds since 1970 may be.""",
        default="float32",
        kind="{'float32', 'float64', 'auto'}",
    )
    engine: str | engines.Library = parameter(
        Allowed(_ENGINES, engines.Library),
        "What computes: see `fastdense.engines.choose`.",
        default="auto",
        kind="str or Library",
    )
    n_threads: int | None = parameter(
        Allowed(None, _COUNT),
        """The most threads to use; None leaves it to `fastdense.set_threads` and the environment. The
        results are the same bits for any number.""",
        default=None,
    )
    optimizer: Any = parameter(
        Allowed(None, StrOptions(set(optimizers.FAMILY.names())), Optimizer),
        """One of `fastdense.optimizers` in place of the solver's, with its own learning rate or schedule,
        clipping and weight decay. It is not changed: a copy of its settings trains.""",
        default=None,
        kind="str or Optimizer",
    )
    dropout: float = parameter(
        Allowed(_FRACTION), "The share of every hidden layer's units that each step leaves out.", default=0.0
    )
    global_clipnorm: float | None = parameter(
        Allowed(None, _ABOVE_ZERO),
        "The longest that all gradients together may be; longer ones are scaled down.",
        default=None,
    )
    max_time: float | None = parameter(
        Allowed(None, _ABOVE_ZERO),
        """Seconds after which training stops: at the end of a step, within a tenth of a second or so; L-BFGS
        at the end of an iteration.""",
        default=None,
    )
