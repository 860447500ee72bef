"""The native engine: the engine protocol over the compiled kernels."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, assert_never

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.spec import (
    ActivateSpec,
    ActivationSpec,
    CategoryEmbeddingSpec,
    DenseSpec,
    DropoutSpec,
    FeatureScaleSpec,
    HuberSpec,
    LayerNormSpec,
    LayerSpec,
    LossSpec,
    NetworkSpec,
    OptimizerSpec,
    ParametricActivationSpec,
    PeriodicEmbeddingSpec,
    PReLUSpec,
    QuantileSpec,
    ScaleSpec,
    TrainingSpec,
    check_parameters,
    group_slices,
    loss_reads_logits,
)
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.native import _core
from fastdense.native._arguments import order_of, plain, source, steps, targets, weights, written
from fastdense.native.jobs import Crew, LanePlan, Plan
from fastdense.native.lanes import kind_of
from fastdense.native.processor import isa_in_use
from fastdense.native.threads import tell_threadpoolctl

__all__ = ["NativeEngine", "NativeProgram"]

Groups = Sequence[Sequence[Array]]

_NETWORKS: dict[str, Any] = {"float32": _core.Network32, "float64": _core.Network64}
_LINEAR = ActivationSpec()
_PREDICTORS = (_core.Predictor32, _core.Predictor64, _core.MeanPredictor32, _core.MeanPredictor64)
_ORIGIN = object()  # given as rows, it makes a predictor return its ``otherwise``
_WEIGHTS = None  # given in place of an optimizer's slot


class NativeEngine:
    """Networks compiled to a plan of fused kernels.

    Parameters
    ----------
    isa : str, optional
        The build of the kernels; that of `fastdense.native.isa_in_use` if not given.
    """

    name = "native"

    def __init__(self, isa: str | None = None) -> None:
        self.isa = isa or isa_in_use()
        tell_threadpoolctl()

    def compile(
        self,
        network: NetworkSpec,
        parameters: Groups,
        training: TrainingSpec | None = None,
        slots: Groups | None = None,
    ) -> NativeProgram:
        """Return a program that starts from copies of ``parameters`` and ``slots`` (fresh where None)."""
        program = NativeProgram(self.isa, network, parameters, training)
        if training is not None:
            program.load_slots(training.optimizer, slots)
        return program


class NativeProgram:
    """A compiled network; see `fastdense.engines.Program` for what its methods promise."""

    def __init__(
        self, isa: str, network: NetworkSpec, parameters: Groups, training: TrainingSpec | None
    ) -> None:
        self.isa, self.network, self.training = isa, network, training
        self._n_out, self._dtype = network.n_out, np.dtype(network.dtype)
        check_parameters(network, parameters)
        given = [tuple(plain(a, network.dtype) for a in arrays) for arrays in parameters]
        self._trained = [i for i, layer in enumerate(network.layers) if layer.is_trained]
        # The compiled network holds the weights: of the arrays given only the shapes are kept.
        self._shapes = {i: [a.shape for a in given[i]] for i in self._trained}
        self._fixed = [() if i in self._shapes else arrays for i, arrays in enumerate(given)]
        self._core: Any = _NETWORKS[network.dtype](isa, network.n_in)
        layers, head = _split_head(network, training)
        for layer, arrays in zip(layers, given, strict=False):
            _add(self._core, layer, arrays)
        self._core.compile(
            _curve(head, network.n_out),
            training and _loss(network, training.loss),
            training and _recipe(training),
        )
        self._core.load(_WEIGHTS, [(i, given[i]) for i in self._trained])
        # A method of this object's would keep it alive for ever.
        self._predict = self.predictor(partial(_predict_odd, self._core, network))

    @property
    def steps(self) -> int:
        """How many steps have been applied."""
        return int(self._core.steps)

    def predictor(self, otherwise: Callable[..., Array]) -> Callable[..., Array]:
        """Return compiled code that takes NumPy's matrices of this network's, or calls ``otherwise``.

        Compiled code belongs to its process: what ``otherwise`` reduces to is pickled in its place.
        """
        return _predictor(self._core.predictor, otherwise)

    def mean_predictor(
        self, programs: Sequence[NativeProgram], otherwise: Callable[..., Array]
    ) -> Callable[..., Array]:
        """Return compiled code as `predictor` does, for the mean of several programs' outputs."""
        networks = [program._core for program in programs]
        return _predictor(partial(self._core.mean_predictor, networks), otherwise)

    def predict(self, X: Array, out: Array | None = None) -> Array:
        """Return the outputs for every row of X."""
        return self._predict(X, out)

    def losses(self, X: Array, y: Array, outputs: Array | None = None) -> NDArray[np.float64]:
        """Return each row's loss, and fill ``outputs`` with the predictions."""
        self._check_trains()
        values = np.empty(X.shape[0])
        with written(outputs) as room:
            self._core.losses(source(X, self.network.n_in), targets(y), values, room)
        return values

    def penalty(self) -> float:
        """Return the sum of the L1 and L2 penalties."""
        return float(self._core.penalty())

    def gradients(self, X: Array, y: Array, sample_weight: Array | None) -> tuple[float, list[Array]]:
        """Return the loss of all rows as one batch and its gradient, dropout off."""
        self._check_trains()
        order = np.arange(X.shape[0])
        loss = self._core.gradients(source(X, self.network.n_in), targets(y), weights(sample_weight), order)
        gradients: list[Array] = []
        for i in self._trained:
            fresh = self._empty(i)
            self._core.store_gradient(i, fresh)
            gradients += fresh
        return loss, gradients

    def train(
        self, batches: Any, learning_rates: NDArray[np.float64], first_step: int, outputs: Array | None = None
    ) -> NDArray[np.float64]:
        """Run one step a learning rate and return the losses; see the protocol."""
        self._check_trains()
        taken = steps(self.network, batches, learning_rates)
        losses = np.empty(len(learning_rates))
        with written(outputs) as room:
            count = self._core.train(
                source(batches.X, self.network.n_in),
                targets(batches.y),
                weights(batches.sample_weight),
                order_of(batches.order),
                *taken,
                first_step,
                losses,
                room,
            )
        return losses[:count]

    def plan(self, job: Any) -> Plan:
        """Return a job as compiled code takes it: `fastdense.engines.jobs.Job`."""
        self._check_trains()
        return Plan(job, self.network, self._core.job(job.first_step), self._trained, self._unfilled)

    def run(self, job: Any) -> list[tuple[Any, ...]]:
        """Run all epochs of a job in one call; see `fastdense.engines.jobs.RunsJobs`."""
        plan = self.plan(job)
        plan.core.run()
        return plan.passed()

    @property
    def lanes(self) -> int:
        """How many programs of this one's dtype and instruction set share the lanes of a vector."""
        return int(self._core.lanes)

    @property
    def kind(self) -> Hashable:
        """What programs that share lanes have in common; see `fastdense.engines.lanes.RunsInLanes`."""
        found = None if self.training is None else kind_of(self.network, self.training)
        return None if found is None else (self.isa, found)

    def run_in_lanes(self, jobs: Sequence[Any]) -> list[list[tuple[Any, ...]]]:
        """Run jobs side by side in one call; see `fastdense.engines.lanes.RunsInLanes`."""
        plan = LanePlan([job.program.plan(job) for job in jobs])
        plan.core.run()
        return plan.passed()

    def crew(self, threads: int | None) -> Crew:
        """Return threads that run jobs of any native programs; see `fastdense.engines.jobs.RunsJobs`."""
        return Crew(threads)

    def parameters(self) -> list[tuple[Array, ...]]:
        """Return the current parameters."""
        current: list[tuple[Array, ...]] = list(self._fixed)
        for i in self._trained:
            current[i] = self._stored(i, _WEIGHTS)
        return current

    def set_parameters(self, parameters: Groups) -> None:
        """Replace the trained parameters: all of them, or none if it raises.

        What another thread predicts meanwhile may come from some of the old weights and some of the new.

        Raises
        ------
        ShapeError
            An array is missing or has another shape: compiled code would read past its end.
        RuntimeError
            Another call is training the program.
        """
        layers = len(self.network.layers)
        if len(parameters) != layers:
            raise ShapeError(f"the network has {layers} layers, but {len(parameters)} have parameters here")
        given = {i: [plain(a, self.network.dtype) for a in parameters[i]] for i in self._trained}
        for i, arrays in given.items():
            shapes = [a.shape for a in arrays]
            if shapes != self._shapes[i]:
                raise ShapeError(
                    f"the parameters of layer {i} have the shapes {self._shapes[i]}, not {shapes}"
                )
        self._core.load(_WEIGHTS, list(given.items()))

    def slots(self) -> list[tuple[Array, ...]]:
        """Return the optimizer's state: one tuple per trained parameter."""
        if self.training is None:
            return []
        count = len(self.training.optimizer.slots)
        groups: list[tuple[Array, ...]] = []
        for i in self._trained:
            by_slot = [self._stored(i, slot) for slot in range(count)]
            groups += zip(*by_slot, strict=True) if by_slot else [() for _ in self._shapes[i]]
        return groups

    def load_slots(self, optimizer: OptimizerSpec, slots: Groups | None) -> None:
        """Take over the optimizer's state, or start with fresh slots."""
        given = iter(slots) if slots is not None else None
        for i in self._trained:
            of_layer = [next(given) for _ in self._shapes[i]] if given is not None else None
            for slot, start in enumerate(optimizer.slots.values()):
                if of_layer is None and start == 0.0:
                    continue  # as compiled
                values = (
                    [np.full(shape, start, self._dtype) for shape in self._shapes[i]]
                    if of_layer is None
                    else [plain(group[slot], self.network.dtype) for group in of_layer]
                )
                if [a.shape for a in values] != self._shapes[i]:
                    raise ShapeError(f"the optimizer's arrays of layer {i} must have its weights' shapes")
                self._core.load(slot, [(i, values)])

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled."""
        raise TypeError(
            "a compiled program belongs to its process: pickle or copy the model, or what its freeze() gives"
        )

    def _stored(self, layer: int, slot: int | None) -> tuple[Array, ...]:
        fresh = self._empty(layer)
        self._core.store(layer, slot, fresh)
        return fresh

    def _unfilled(self) -> list[tuple[Array, ...]]:
        """Return parameters whose trained arrays are yet to be filled."""
        return [self._empty(i) if i in self._shapes else arrays for i, arrays in enumerate(self._fixed)]

    def _empty(self, layer: int) -> tuple[Array, ...]:
        return tuple([np.empty(shape, self._dtype) for shape in self._shapes[layer]])

    def _check_trains(self) -> None:
        if self.training is None:
            raise NotBuiltError("this program was compiled for prediction only: it has no loss or optimizer")


def _predictor(make: Callable[[Any], Any], otherwise: Callable[..., Array]) -> Callable[..., Array]:
    def odd(X: Any, out: Any = None) -> Any:
        return otherwise if X is _ORIGIN else otherwise(X, out)

    predict: Callable[..., Array] = make(odd).predict
    copyreg.pickle(type(predict), _reduced)
    return predict


def _reduced(method: Any) -> Any:
    """Reduce a method of compiled code, for `pickle` and `copy`: a predictor as its ``otherwise`` does."""
    if not isinstance(method.__self__, _PREDICTORS):
        raise TypeError(f"a method of compiled code cannot be pickled or copied: {method.__self__!r}")
    return method(_ORIGIN).__reduce__()


def _predict_odd(core: Any, network: NetworkSpec, X: Array, out: Array | None = None) -> Array:
    """Predict for sparse rows, a subclass of NumPy's arrays, or what compiled code can't read in place."""
    outputs = np.empty((X.shape[0], network.n_out), network.dtype)
    core.predict(source(X, network.n_in), outputs)
    if out is None:
        return outputs
    out[...] = outputs
    return out


def _split_head(
    network: NetworkSpec, training: TrainingSpec | None
) -> tuple[tuple[LayerSpec, ...], ActivationSpec]:
    """Return the layers and the activation that only outputs go through if the loss reads logits."""
    if training is None or not loss_reads_logits(network, training.loss):
        return network.layers, _LINEAR
    *layers, last = network.layers
    if isinstance(last, DenseSpec):
        return (*layers, replace(last, activation=_LINEAR)), last.activation
    assert isinstance(last, ActivateSpec)
    return tuple(layers), last.activation


def _add(core: Any, layer: LayerSpec, arrays: tuple[Array, ...]) -> None:
    match layer:
        case DenseSpec():
            curve = _curve(layer.activation, layer.n_units)
            core.dense(layer.n_units, curve, layer.use_bias, _treatments(layer))
        case ActivateSpec():
            core.activation(_curve(layer.activation, layer.n_units))
        case ScaleSpec():
            core.scale(*arrays)
        case LayerNormSpec():
            core.layer_norm(layer.epsilon, layer.scale, layer.center, _treatments(layer))
        case PeriodicEmbeddingSpec():
            core.periodic(layer.columns, layer.frequencies, layer.width, _treatments(layer))
        case PReLUSpec():
            core.prelu(_treatments(layer))
        case CategoryEmbeddingSpec():
            core.category_embedding(layer.sizes, layer.width, _treatments(layer))
        case FeatureScaleSpec():
            core.feature_scale(_treatments(layer))
        case ParametricActivationSpec():
            core.parametric_activation(_curve(layer.curve, layer.n_units), _treatments(layer))
        case DropoutSpec():
            core.dropout(layer.rate, layer.stream)
        case _:
            assert_never(layer)


def _treatments(layer: LayerSpec) -> list[tuple[float, ...]]:
    """Return how training treats each parameter."""
    found = [(p.penalty, p.factors) for p in layer.parameters]
    return [(penalty.l1, penalty.l2, factors.rate, factors.decay) for penalty, factors in found]


def _curve(activation: ActivationSpec, columns: int) -> Any:
    return _core.Curve(activation.name, activation.alpha, _groups(activation, columns))


def _groups(spec: ActivationSpec | LossSpec, columns: int) -> list[int]:
    """Return the sizes of the groups of a row's columns, which they fill; none if all are one group."""
    sizes = [group.stop - group.start for group in group_slices(spec, columns)]
    return sizes if len(sizes) > 1 else []


def _loss(network: NetworkSpec, loss: LossSpec) -> Any:
    from_logits = loss.from_logits or loss_reads_logits(network, loss)
    match loss:
        case HuberSpec():
            parameter = loss.delta
        case QuantileSpec():
            parameter = loss.quantile
        case _:
            parameter = 1.0
    groups = _groups(loss, network.n_out)
    return _core.LossOptions(loss.name, from_logits, loss.label_smoothing, parameter, groups)


def _recipe(training: TrainingSpec) -> Any:
    optimizer = training.optimizer
    given = {name: value for name, value in vars(optimizer).items() if value is not None}
    given.pop("initial_accumulator_value", None)  # the slots start from it
    return _core.Recipe(optimizer.name, given, len(optimizer.slots), training.seed)
