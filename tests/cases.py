"""The one case table: networks, losses, optimizers and data that every engine is run on."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from fastdense.core.spec import (
    ACTIVATIONS,
    LOSSES,
    ActivateSpec,
    ActivationSpec,
    AdagradSpec,
    AdamSpec,
    BinaryCrossentropySpec,
    CategoryEmbeddingSpec,
    DenseSpec,
    DropoutSpec,
    Factors,
    LayerSpec,
    LionSpec,
    LossSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    ParametricActivationSpec,
    Penalty,
    PeriodicEmbeddingSpec,
    PoissonSpec,
    RMSpropSpec,
    ScaleSpec,
    SGDSpec,
    SparseCategoricalCrossentropySpec,
    TrainingSpec,
)
from fastdense.engines import Batches
from tests.category_layers import category_layers, with_categories
from tests.periodic_layers import periodic_layers, with_missing
from tests.vector_layers import vector_layers

__all__ = ["ALPHAS", "CASES", "FLOAT64_CASES", "SGD", "Case", "Data", "case_named", "loss_named"]

N_IN, N_HIDDEN, N_OUT = 4, 3, 2
ALPHAS = {"leaky_relu": 0.3, "elu": 0.7, "celu": 0.6}
SGD, MSE = SGDSpec(), MeanSquaredErrorSpec()
PLAIN = TrainingSpec(MSE, SGD)
LOGIT_LOSSES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
CATEGORICAL = ("categorical_crossentropy", "sparse_categorical_crossentropy")

CLIPPINGS = ("clipvalue", "clipnorm", "global_clipnorm")

FUSED = (
    ("sigmoid", "binary_crossentropy"),
    ("softmax", "categorical_crossentropy"),
    ("softmax", "sparse_categorical_crossentropy"),
    ("exponential", "poisson"),
)


@dataclass(frozen=True)
class Data:
    """A case's rows."""

    X: NDArray[np.floating]
    y: NDArray[np.generic]
    sample_weight: NDArray[np.floating] | None


@dataclass(frozen=True)
class Case:
    """A network, how it is trained, and the sizes that its data are made of."""

    name: str
    network: NetworkSpec
    training: TrainingSpec = PLAIN
    rows: int = 11
    batch_size: int = 4  # 11 rows make two whole batches and one of three
    learning_rate: float = 0.02
    weighted: bool = False
    scales_penalty: bool = False
    schedules: bool = False  # whether weight decay and dropout change from step to step

    @property
    def dtype(self) -> str:
        """The network's dtype."""
        return self.network.dtype

    @property
    def eps(self) -> float:
        """The distance from 1 to the next number of the dtype."""
        return float(np.finfo(self.dtype).eps)

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches, the shorter last one included."""
        return -(-self.rows // self.batch_size)

    def data(self) -> Data:
        """Return the case's rows, the same at every call; a third of the weights are zero."""
        rng = self._rng("data")
        X = rng.normal(size=(self.rows, self.network.n_in)).astype(self.dtype)
        for layer in self.network.layers[:1]:
            X = with_categories(X, layer.sizes) if isinstance(layer, CategoryEmbeddingSpec) else X
            X = with_missing(X, layer.columns) if isinstance(layer, PeriodicEmbeddingSpec) else X
        sample_weight = rng.uniform(0.5, 2.0, self.rows) if self.weighted else None
        if sample_weight is not None:
            sample_weight[::3] = 0.0
            sample_weight = sample_weight.astype(self.dtype)
        return Data(X, self._targets(rng), sample_weight)

    def parameters(self) -> list[tuple[NDArray[np.floating], ...]]:
        """Return the initial parameters, the same at every call: no weight and no bias is zero."""
        rng = self._rng("parameters")
        return [tuple(a.astype(self.dtype) for a in _initial(layer, rng)) for layer in self.network.layers]

    def batches(self, data: Data, epoch: int) -> Batches:
        """Return one epoch's batches, in an order of its own."""
        order = np.random.default_rng(epoch).permutation(self.rows)
        scale = np.arange(1.0, self.steps_per_epoch + 1.0) / 2 if self.scales_penalty else None
        decay, dropout = None, {}
        if self.schedules:
            drops = [layer for layer in self.network.layers if isinstance(layer, DropoutSpec)]
            decay = np.linspace(0.4, 0.1, self.steps_per_epoch)
            dropout = {layer.stream: np.linspace(0.7, 0.0, self.steps_per_epoch) for layer in drops[:1]}
        return Batches(data.X, data.y, data.sample_weight, order, self.batch_size, scale, decay, dropout)

    def learning_rates(self, first_step: int) -> NDArray[np.float64]:
        """Return one epoch's learning rates, which fall slowly from step to step."""
        return self.learning_rate / (1 + 0.01 * np.arange(first_step, first_step + self.steps_per_epoch))

    def _targets(self, rng: np.random.Generator) -> NDArray[np.generic]:
        shape = (self.rows, self.network.n_out)
        match self.training.loss.name:
            case "binary_crossentropy":
                y = rng.integers(0, 2, shape)
            case "sparse_categorical_crossentropy":
                return rng.integers(0, shape[1], self.rows)
            case "categorical_crossentropy":
                groups = self.training.loss.groups or (shape[1],)
                y = np.hstack([rng.dirichlet(np.ones(size), self.rows) for size in groups])
            case "poisson":
                y = rng.poisson(1.0, shape)
            case _:
                y = rng.normal(size=shape)
        return y.astype(self.dtype)

    def _rng(self, purpose: str) -> np.random.Generator:
        """Return a generator of the case's own: a new case changes no other case's numbers."""
        name = self.name.partition("-")[2]  # float32 and float64 cases share their numbers
        return np.random.default_rng(zlib.crc32(f"{purpose} {name}".encode()))


def loss_named(name: str, **settings: object) -> LossSpec:
    """Return a loss with those of the settings that it has."""
    kind = LOSSES[name]
    return kind(**{field.name: settings[field.name] for field in fields(kind) if field.name in settings})


def _initial(layer: LayerSpec, rng: np.random.Generator) -> tuple[NDArray[np.float64], ...]:
    """Return a layer's initial parameters."""
    if isinstance(layer, ScaleSpec):
        return rng.normal(size=layer.n_in), rng.uniform(0.5, 2.0, layer.n_in)
    if not isinstance(layer, DenseSpec):
        return tuple(rng.uniform(-0.5, 0.9, p.shape) for p in layer.parameters)
    W = rng.normal(size=(layer.n_in, layer.n_units)) / np.sqrt(layer.n_in)
    b = 0.3 * rng.normal(size=layer.n_units)
    return (W, b) if layer.use_bias else (W,)


def _activation(name: str) -> ActivationSpec:
    return ActivationSpec(name, ALPHAS.get(name, 0.0))


def _network(hidden: str = "tanh", last: str = "linear", n_out: int = N_OUT) -> NetworkSpec:
    """Return a network of two dense layers."""
    first = DenseSpec(N_IN, N_HIDDEN, _activation(hidden))
    return NetworkSpec(N_IN, (first, DenseSpec(N_HIDDEN, n_out, _activation(last))))


def _blended(name: str) -> NetworkSpec:
    """Return a network with a share of an activation between two dense layers."""
    first, last = _network(hidden="linear").layers
    return NetworkSpec(N_IN, (first, ParametricActivationSpec(N_HIDDEN, _activation(name)), last))


def _last(name: str, loss: LossSpec) -> Case:
    """Return the case of an activation last and a loss, trained by plain gradient descent."""
    title = f"{name}-{loss.name}{'-from-logits' if loss.from_logits else ''}"
    return Case(title, _network(last=name), TrainingSpec(loss, SGD))


def _activations() -> list[Case]:
    """Return every activation in the middle, and last under every loss that it makes sense with."""
    names = ("mean_squared_error", "mean_absolute_error", "huber", "quantile")
    of_any = [loss_named(loss, delta=0.8, quantile=0.3) for loss in names]
    of_any += [loss_named(loss, from_logits=True) for loss in (*LOGIT_LOSSES, "poisson")]
    of_probabilities = [loss_named(loss) for loss in (*LOGIT_LOSSES, "poisson")]
    of_positive = [loss_named(loss) for loss in (*CATEGORICAL, "poisson")]
    return [
        *(Case(f"hidden-{name}", _network(hidden=name)) for name in ACTIVATIONS),
        *(
            Case(f"blended-{name}", _blended(name))
            for name in ACTIVATIONS
            if name not in ("linear", "softmax")
        ),
        *(_last(name, loss) for name in ACTIVATIONS for loss in of_any),
        *(_last(name, loss) for name in ("sigmoid", "softmax") for loss in of_probabilities),
        *(_last(name, loss) for name in ("softplus", "exponential") for loss in of_positive),
    ]


def _losses() -> list[Case]:
    """Return label smoothing on every path, losses that find a dropout layer last, and one output."""
    binary = TrainingSpec(BinaryCrossentropySpec(), SGD)
    cases = [Case("one-unit", _network(last="sigmoid", n_out=1), binary)]
    for loss in LOGIT_LOSSES:
        smooth, plain = loss_named(loss, label_smoothing=0.2), TrainingSpec(loss_named(loss), SGD)
        fused, unfused = ("sigmoid", "softmax") if loss == "binary_crossentropy" else ("softmax", "sigmoid")
        paths = {
            "fused": (fused, smooth),
            "probabilities": (unfused, smooth),
            "logits": ("linear", replace(smooth, from_logits=True)),
        }
        for path, (last, spec) in paths.items():
            network = _network(last=last, n_out=3)
            cases.append(Case(f"smooth-{loss}-{path}", network, TrainingSpec(spec, SGD)))
        hides_logits = (*_network(last=fused).layers, DropoutSpec(N_OUT, 0.0, stream=2))
        cases.append(Case(f"{loss}-behind-dropout", NetworkSpec(N_IN, hides_logits), plain))
    for last, loss in FUSED:  # the loss takes in the only layer there is
        spec = loss_named(loss, label_smoothing=0.0 if loss == "poisson" else 0.2)
        alone = NetworkSpec(N_IN, (ActivateSpec(N_IN, _activation(last)),))
        cases.append(Case(f"{last}-{loss}-alone", alone, TrainingSpec(spec, SGD)))
    counts = TrainingSpec(PoissonSpec(), SGD)
    hides_logarithms = (*_network(last="exponential").layers, DropoutSpec(N_OUT, 0.0, stream=2))
    return [*cases, Case("poisson-behind-dropout", NetworkSpec(N_IN, hides_logarithms), counts)]


def _groups() -> list[Case]:
    """Return softmax and its cross-entropy by groups, of one column to many, on every path."""
    cases = []
    for groups in ((3, 2), (1, 2, 3), (17, 2)):
        n_out, softmax = sum(groups), ActivationSpec("softmax", groups=groups)
        loss = loss_named(CATEGORICAL[0], groups=groups)
        smooth = replace(loss, label_smoothing=0.2)
        first = DenseSpec(N_IN, N_HIDDEN, _activation("tanh"))
        linear = DenseSpec(N_HIDDEN, n_out)
        dense = replace(linear, activation=softmax)
        hidden = DenseSpec(N_IN, n_out, softmax)
        variants: dict[str, tuple[tuple[LayerSpec, ...], LossSpec]] = {
            "fused": ((first, dense), loss),
            "smooth": ((first, dense), smooth),
            "logits": ((first, linear), replace(smooth, from_logits=True)),
            "probabilities": ((first, replace(linear, activation=_activation("sigmoid"))), smooth),
            "of-one-softmax": ((first, replace(linear, activation=_activation("softmax"))), loss),
            "one-loss": ((first, dense), replace(loss, groups=())),
            "behind-dropout": ((first, dense, DropoutSpec(n_out, 0.0, stream=2)), loss),
            "activate-last": ((first, linear, ActivateSpec(n_out, softmax)), loss),
            "activate-middle": ((hidden, ActivateSpec(n_out, softmax), DenseSpec(n_out, N_OUT)), MSE),
            "hidden": ((hidden, DenseSpec(n_out, N_OUT)), MSE),
            "error": ((first, dense), MSE),
        }
        title = f"groups-{'-'.join(map(str, groups))}"
        for path, (layers, spec) in variants.items():
            cases.append(Case(f"{title}-{path}", NetworkSpec(N_IN, layers), TrainingSpec(spec, SGD)))
    return [*cases, replace(cases[0], name="groups-weighted", weighted=True)]


def _optimizers() -> list[Case]:
    """Return every optimizer, with each of its switches and each clipping."""
    momentum, rmsprop = SGDSpec(momentum=0.9), RMSpropSpec()
    adagrad, adam, lion = AdagradSpec(), AdamSpec(), LionSpec()
    variants = {
        "sgd": SGD,
        "sgd-decay": replace(SGD, weight_decay=0.1),
        "sgd-clipvalue": replace(SGD, clipvalue=0.05),
        "sgd-clipnorm": replace(SGD, clipnorm=0.2),
        "sgd-global-clipnorm": replace(SGD, global_clipnorm=0.3),
        "momentum": momentum,
        "nesterov": replace(momentum, nesterov=True),
        "nesterov-without-momentum": replace(SGD, nesterov=True),
        "rmsprop": rmsprop,
        "rmsprop-momentum": replace(rmsprop, rho=0.8, momentum=0.5),
        "rmsprop-centered": replace(rmsprop, centered=True),
        "rmsprop-centered-momentum": replace(rmsprop, centered=True, momentum=0.5, epsilon=1e-4),
        "rmsprop-clipnorm": replace(rmsprop, clipnorm=0.2),
        "adagrad": adagrad,
        "adagrad-start": replace(adagrad, initial_accumulator_value=0.7, epsilon=1e-3),
        "adam": adam,
        "adam-constants": replace(adam, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
        "adam-decay": replace(adam, weight_decay=0.1),
        "adam-clipvalue": replace(adam, clipvalue=0.05),
        "adam-clipnorm": replace(adam, clipnorm=0.2),
        "adam-amsgrad": replace(adam, amsgrad=True, beta_2=0.6),
        "adam-amsgrad-clipnorm": replace(adam, amsgrad=True, beta_2=0.6, clipnorm=0.2),
        "adam-global-clipnorm": replace(adam, global_clipnorm=0.3),
        "lion": lion,
        "lion-constants": replace(lion, beta_1=0.7, beta_2=0.95),
        "lion-decay": replace(lion, weight_decay=0.1),
        "lion-clipnorm": replace(lion, clipnorm=0.2),
    }
    return [Case(name, _network(), TrainingSpec(MSE, optimizer)) for name, optimizer in variants.items()]


def _penalties() -> list[Case]:
    """Return penalties of both kinds on kernels and biases, alone and together."""
    both = Penalty(l1=0.02, l2=0.03)
    variants = {
        "kernel-l1": (Penalty(l1=0.02), Penalty()),
        "kernel-l2": (Penalty(l2=0.03), Penalty()),
        "bias-l1-l2": (Penalty(), both),
        "everything": (both, both),
    }
    cases = []
    for name, (kernel, bias) in variants.items():
        layers = [replace(layer, kernel_penalty=kernel, bias_penalty=bias) for layer in _network().layers]
        cases.append(Case(f"penalty-{name}", NetworkSpec(N_IN, tuple(layers))))
    scaled = replace(cases[-1], name="penalty-scaled", scales_penalty=True)
    cases.append(scaled)
    for clipping in CLIPPINGS:
        clipped = TrainingSpec(MSE, replace(SGD, **{clipping: 0.3}))
        cases.append(replace(scaled, name=f"penalty-scaled-{clipping}", training=clipped))
    return cases


def _factors_and_schedules() -> list[Case]:
    """Return parameters with factors of their own, and weight decays and dropout rates that change."""
    kernel, bias = Factors(0.5, 0.0), Factors(2.0, 3.0)
    first, last = (replace(layer, kernel_factors=kernel, bias_factors=bias) for layer in _network().layers)
    drops = [DropoutSpec(N_HIDDEN, 0.3, stream=1), DropoutSpec(N_OUT, 0.2, stream=3)]
    factors = NetworkSpec(N_IN, (first, replace(last, bias_factors=Factors(rate=0.0)), drops[1]))
    changing = NetworkSpec(N_IN, (first, drops[0], last, drops[1]))
    sgd, adam = SGDSpec(weight_decay=0.1), AdamSpec(weight_decay=0.1)
    trained = {"sgd": sgd, "adam": adam, "clipnorm": replace(adam, clipnorm=0.2)}
    return [
        *(Case(f"factors-{name}", factors, TrainingSpec(MSE, each)) for name, each in trained.items()),
        Case("schedules", changing, TrainingSpec(MSE, SGD, seed=3), schedules=True),
        Case("schedules-adam", changing, TrainingSpec(MSE, adam, seed=3), schedules=True),
    ]


def _layers() -> list[Case]:
    """Return the layers that are not dense in every place, and dense layers without bias."""
    first, last = _network().layers
    gelu, scale = ActivateSpec(N_HIDDEN, _activation("gelu")), ScaleSpec(N_IN)
    low, high = DropoutSpec(N_IN, 0.2, stream=0), DropoutSpec(N_HIDDEN, 0.6, stream=2)
    softmax = ActivateSpec(N_OUT, _activation("softmax"))
    variants: dict[str, tuple[LayerSpec, ...]] = {
        "activate-first": (ActivateSpec(N_IN, _activation("silu")), first, last),
        "activate-middle": (first, gelu, last),
        "scale-first": (scale, first, last),
        "scale-middle": (first, ScaleSpec(N_HIDDEN), last),
        "scale-last": (first, last, ScaleSpec(N_OUT)),
        "dropout": (first, high, last),
        "dropout-first": (low, first, last),
        "dropout-last": (first, last, DropoutSpec(N_OUT, 0.3, stream=7)),
        "dropout-twice": (low, first, high, last),
        "dropout-wide": (DenseSpec(N_IN, 9), DropoutSpec(9, 0.5, stream=1), DenseSpec(9, N_OUT)),
        "everything": (scale, low, first, gelu, high, last),
        "no-bias": (replace(first, use_bias=False), replace(last, use_bias=False)),
        "one-layer": (DenseSpec(N_IN, N_OUT),),
        "no-layers": (),
        "activate-only": (ActivateSpec(N_IN, _activation("silu")),),
        "scale-only": (scale,),
        "dropout-only": (low,),
        "dropout-scale-activate-only": (low, scale, ActivateSpec(N_IN, _activation("tanh"))),
        "deep": (first, *(DenseSpec(N_HIDDEN, N_HIDDEN, _activation("relu")),) * 3, last),
        **vector_layers(first, last),
        **category_layers(first, last),
        **periodic_layers(first, last),
    }
    two_word_seed = TrainingSpec(MSE, SGD, seed=2**40 + 5)
    activate_last = NetworkSpec(N_IN, (first, last, softmax))
    clipped = {name: TrainingSpec(MSE, AdamSpec(weight_decay=0.1, **{name: 0.1})) for name in CLIPPINGS}
    places = {kind: f"{kind}-middle" for kind in ("prelu", "norm", "feature-scale", "blend")}
    places |= {kind: f"{kind}-first" for kind in ("category", "periodic")}
    charged = {kind: NetworkSpec(N_IN, variants[name]) for kind, name in places.items()}
    return [
        *(Case(f"{k}-{name}", charged[k], training) for k in charged for name, training in clipped.items()),
        *(Case(name, NetworkSpec(N_IN, layers), two_word_seed) for name, layers in variants.items()),
        *(Case(f"activate-last-{n}", activate_last, TrainingSpec(loss_named(n), SGD)) for n in CATEGORICAL),
    ]


def _rows() -> list[Case]:
    """Return sample weights, and the ways in which rows fill batches."""
    adam = TrainingSpec(MSE, AdamSpec())
    sparse = TrainingSpec(SparseCategoricalCrossentropySpec(), SGD)
    return [
        Case("weights", _network(), adam, weighted=True),
        Case("weights-sparse", _network(last="softmax"), sparse, weighted=True),
        Case("batch-of-1", _network(), rows=5, batch_size=1),
        Case("one-row", _network(), rows=1, batch_size=4),
        Case("batch-larger-than-data", _network(), rows=5, batch_size=64),
        Case("tail-of-1", _network(), rows=9, batch_size=4, weighted=True),
        Case("no-tail", _network(), rows=8, batch_size=4),
    ]


def _all() -> list[Case]:
    """Return every case in both dtypes, named dtype first."""
    of_training = [*_losses(), *_groups(), *_optimizers(), *_penalties(), *_factors_and_schedules()]
    cases = [*_activations(), *of_training, *_layers(), *_rows()]
    return [
        replace(case, name=f"{dtype}-{case.name}", network=replace(case.network, dtype=dtype))
        for dtype in ("float32", "float64")
        for case in cases
    ]


CASES = _all()
FLOAT64_CASES = [case for case in CASES if case.dtype == "float64"]


def case_named(name: str) -> Case:
    """Return one case of the table."""
    (found,) = [case for case in CASES if case.name == name]
    return found
