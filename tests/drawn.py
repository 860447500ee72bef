"""Cases drawn at random, of the same kind as those of the table: any layers, loss, optimizer and rows."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from fastdense.core.spec import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    ActivateSpec,
    ActivationSpec,
    CategoryEmbeddingSpec,
    DenseSpec,
    DropoutSpec,
    Factors,
    FeatureScaleSpec,
    LayerNormSpec,
    LayerSpec,
    LossSpec,
    NetworkSpec,
    OptimizerSpec,
    ParametricActivationSpec,
    Penalty,
    PeriodicEmbeddingSpec,
    PReLUSpec,
    ScaleSpec,
    TrainingSpec,
)
from tests.cases import ALPHAS, CATEGORICAL, FUSED, LOGIT_LOSSES, Case, loss_named

__all__ = ["drawn"]

# Round the widths of vectors and of tiles, and one column more often than others.
_WIDTHS = (1, 1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 33)
_KINDS = ("dense", "dense", "dense", "activate", "dropout", "scale", "prelu", "norm", "category")
_KINDS += ("blend", "feature", "periodic")
_OPTIMIZERS = ("sgd", "rmsprop", "adagrad", "adam", "lion")
_FACTORS = True
_POSITIVE = ("sigmoid", "softmax", "softplus", "exponential")
# After which activations a loss of outputs is smooth: a probability that is clipped has its last digits cut.
_DEFINED = {
    "binary_crossentropy": ("sigmoid",),
    **dict.fromkeys((*CATEGORICAL, "poisson"), _POSITIVE),
}


def drawn(seed: int, dtype: str) -> Case:
    """Return the case of a seed: the same network, training and rows in both dtypes."""
    rng = random.Random(seed)
    n_in = rng.choice(_WIDTHS)
    layers: list[LayerSpec] = []
    for place in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
        layers.append(_layer(rng, layers[-1].n_units if layers else n_in, place))
    loss = _loss(rng, NetworkSpec(n_in, tuple(layers)))
    if layers and rng.random() < 0.5:  # the activation that this loss takes in, wherever it can end a network
        fused = [name for name, of in FUSED if of == loss.name]
        last = layers[-1]
        if fused and isinstance(last, DenseSpec | ActivateSpec) and not loss.from_logits:
            layers[-1] = replace(last, activation=ActivationSpec(fused[0], groups=loss.groups))
    rows = rng.choice((1, 1, 2, 5, 13, 30))
    own = random.Random(seed)  # what is drawn first stays the same
    return Case(
        name=f"{dtype}-drawn-{seed}",
        network=NetworkSpec(n_in, tuple(_with_factors(own, layer) for layer in layers), dtype),
        training=TrainingSpec(loss, _optimizer(rng), rng.choice((0, 7, 2**40 + 5))),
        rows=rows,
        batch_size=rng.choice((1, 2, 4, rows, rows + 3)),
        weighted=rng.random() < 0.3,
        scales_penalty=rng.random() < 0.3,
        schedules=_FACTORS and own.random() < 0.3,
    )


def _layer(rng: random.Random, n_in: int, place: int) -> LayerSpec:
    kind = rng.choice(_KINDS)
    if kind == "dropout":
        return DropoutSpec(n_in, rng.choice((0.0, 0.2, 0.7)), stream=place)
    if kind == "scale":
        return ScaleSpec(n_in)
    if kind == "norm":
        return LayerNormSpec(n_in, 0.01, rng.random() < 0.8, rng.random() < 0.8, _penalty(rng), _penalty(rng))
    if kind == "prelu":
        return PReLUSpec(n_in, _penalty(rng))
    if kind == "category" and place == 0:  # of numbers that are computed a rounding may make another category
        return _categories(rng, n_in)
    if kind == "feature":
        return FeatureScaleSpec(n_in, _penalty(rng))
    if kind == "blend":
        name = rng.choice([name for name in ACTIVATIONS if name not in ("linear", "softmax")])
        return ParametricActivationSpec(n_in, ActivationSpec(name, ALPHAS.get(name, 0.0)), _penalty(rng))
    if kind == "periodic":
        factors = Factors(rng.choice((0.5, 1.0)), rng.choice((1.0, 2.0)))
        sizes = rng.randint(1, n_in), rng.choice((1, 2, 5, 16)), rng.choice((2, 4, 7))
        return PeriodicEmbeddingSpec(n_in, *sizes, factors)
    if kind == "activate":
        return ActivateSpec(n_in, _activation(rng, n_in))
    units = rng.choice(_WIDTHS)
    penalties = _penalty(rng), _penalty(rng)
    return DenseSpec(n_in, units, _activation(rng, units), rng.random() < 0.8, *penalties)


def _categories(rng: random.Random, n_in: int) -> CategoryEmbeddingSpec:
    sizes = tuple(rng.choice((1, 2, 3, 17, 90)) for _ in range(rng.randint(1, n_in)))
    factors = Factors(rng.choice((0.5, 1.0)), rng.choice((1.0, 2.0)))
    return CategoryEmbeddingSpec(n_in, sizes, rng.choice((1, 2, 3, 8)), factors)


def _with_factors(rng: random.Random, layer: LayerSpec) -> LayerSpec:
    """Return a dense layer with factors of the learning rate and the weight decay, at times."""
    if not (_FACTORS and isinstance(layer, DenseSpec)) or rng.random() < 0.6:
        return layer
    kernel, bias = (Factors(rng.choice((0.0, 0.5, 1.0, 3.0)), rng.choice((0.0, 1.0, 2.0))) for _ in range(2))
    return replace(layer, kernel_factors=kernel, bias_factors=bias)


def _activation(rng: random.Random, columns: int) -> ActivationSpec:
    name = rng.choice(ACTIVATIONS)
    return ActivationSpec(name, ALPHAS.get(name, 0.0), _groups(rng, columns) if name == "softmax" else ())


def _groups(rng: random.Random, columns: int) -> tuple[int, ...]:
    """Return sizes that cut the columns, or none."""
    if columns == 1 or rng.random() < 0.6:
        return ()
    cuts = sorted(rng.sample(range(1, columns), rng.randint(1, min(3, columns - 1))))
    return tuple(end - start for start, end in pairwise((0, *cuts, columns)))


def _penalty(rng: random.Random) -> Penalty:
    return Penalty(*rng.choice(((0.0, 0.0), (0.0, 0.0), (0.02, 0.0), (0.0, 0.03), (0.01, 0.01))))


def _loss(rng: random.Random, network: NetworkSpec) -> LossSpec:
    """Return a loss that is defined for what the network puts out: others end in NaN at once."""
    name = rng.choice(list(LOSSES))
    last = network.layers[-1] if network.layers else None
    of_last = last.activation.name if isinstance(last, DenseSpec | ActivateSpec) else "linear"
    reads_outputs = _DEFINED.get(name, ACTIVATIONS)
    return loss_named(
        name,
        from_logits=name in _DEFINED and (of_last not in reads_outputs or rng.random() < 0.3),
        label_smoothing=rng.choice((0.0, 0.1)) if name in LOGIT_LOSSES else 0.0,
        delta=0.8,
        quantile=0.3,
        groups=_groups(rng, network.n_out) if name == "categorical_crossentropy" else (),
    )


def _optimizer(rng: random.Random) -> OptimizerSpec:
    """Return an optimizer whose epsilon is far above rounding errors: it never divides one by another."""
    clipping = rng.choice(({}, {}, {"clipvalue": 0.05}, {"clipnorm": 0.2}, {"global_clipnorm": 0.3}))
    name = rng.choice(_OPTIMIZERS)
    settings = {"epsilon": 1e-2} if name not in ("sgd", "lion") else {}
    if name in ("sgd", "rmsprop"):
        settings["momentum"] = rng.choice((0.0, 0.9))
        settings["nesterov" if name == "sgd" else "centered"] = rng.random() < 0.5
    return OPTIMIZERS[name](weight_decay=rng.choice((0.0, 0.1)), **settings, **clipping)
