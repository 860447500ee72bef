"""Descriptions: every member of every family makes one, JSON holds it, and it makes the object again."""

import json

import pytest

import fastdense as fd
from fastdense import initializers, losses, metrics, optimizers, regularizers
from fastdense.layers import base as layer
from fastdense.optimizers import schedules

FAMILIES = (
    layer.FAMILY,
    initializers.FAMILY,
    regularizers.FAMILY,
    losses.FAMILY,
    metrics.FAMILY,
    optimizers.FAMILY,
    schedules.FAMILY,
)
# Arguments that differ from the defaults, for every class that takes any; a new class must be added here.
GIVEN = {
    "Dense": {
        "units": 3,
        "activation": fd.activations.ActivationFunction("leaky_relu", 0.1),
        "use_bias": False,
        "kernel_initializer": initializers.HeNormal(seed=2),
        "bias_initializer": "ones",
        "kernel_regularizer": regularizers.L2(0.5),
        "bias_regularizer": "l1",
        "name": "d",
    },
    "Activation": {"activation": "gelu", "name": "a"},
    "CategoryEmbedding": {"sizes": (3, 2), "width": 4, "name": "a"},
    "ReLU": {"name": "a"},
    "Softmax": {"name": "a"},
    "LeakyReLU": {"negative_slope": 0.125, "name": "a"},
    "ELU": {"alpha": 0.5, "name": "a"},
    "Dropout": {"rate": 0.25, "name": "a"},
    "Normalization": {"mean": [1.0, 2.0], "variance": 3.0, "name": "a"},
    "LayerNormalization": {
        "epsilon": 0.25,
        "center": False,
        "scale": False,
        "beta_initializer": "ones",
        "gamma_initializer": initializers.Constant(2.0),
        "beta_regularizer": "l1",
        "gamma_regularizer": regularizers.L2(0.5),
        "name": "a",
    },
    "FeatureScale": {"scale_initializer": "random_uniform", "scale_regularizer": "l2", "name": "a"},
    "ParametricActivation": {
        "activation": fd.activations.ActivationFunction("elu", 0.5),
        "alpha_initializer": initializers.Constant(0.25),
        "alpha_regularizer": "l1",
        "name": "a",
    },
    "PeriodicEmbedding": {"columns": 2, "frequencies": 3, "width": 5, "sigma": 0.5, "name": "a"},
    "PReLU": {"alpha_initializer": initializers.Constant(0.25), "alpha_regularizer": "l1", "name": "a"},
    "Rescaling": {"scale": [0.5, 2.0], "offset": -1.0, "name": "a"},
    "Zeros": {},
    "Ones": {},
    "Constant": {"value": 2.0},
    "RandomNormal": {"mean": 1.0, "stddev": 2.0, "seed": 3},
    "TruncatedNormal": {"mean": 1.0, "stddev": 2.0, "seed": 3},
    "RandomUniform": {"minval": -1.0, "maxval": 2.0, "seed": 3},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": 3},
    "L1": {"l1": 0.5},
    "L2": {"l2": 0.5},
    "L1L2": {"l1": 0.5, "l2": 0.25},
    "MeanSquaredError": {},
    "MeanAbsoluteError": {},
    "Poisson": {},
    "Huber": {"delta": 2.0},
    "Quantile": {"quantile": 0.25},
    "ExponentialDecay": {
        "initial_learning_rate": 0.5,
        "decay_steps": 7,
        "decay_rate": 0.25,
        "staircase": True,
    },
    "InverseTimeDecay": {
        "initial_learning_rate": 0.5,
        "decay_steps": 7,
        "decay_rate": 0.25,
        "staircase": True,
    },
    "CosineDecayRestarts": {
        "initial_learning_rate": 0.5,
        "first_decay_steps": 7,
        "t_mul": 1.5,
        "m_mul": 0.75,
        "alpha": 0.1,
    },
    "CosineDecay": {
        "initial_learning_rate": 0.5,
        "decay_steps": 7,
        "alpha": 0.1,
        "warmup_target": 1.0,
        "warmup_steps": 3,
    },
    "PiecewiseConstantDecay": {"boundaries": [2, 5], "values": [1.0, 0.5, 0.25]},
    "PolynomialDecay": {
        "initial_learning_rate": 0.5,
        "decay_steps": 7,
        "end_learning_rate": 0.25,
        "power": 2.0,
        "cycle": True,
    },
    "SGD": {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1, "clipnorm": 1.0},
    "RMSprop": {"rho": 0.5, "momentum": 0.25, "epsilon": 0.1, "centered": True, "clipvalue": 1.0},
    "Adagrad": {"initial_accumulator_value": 0.5, "epsilon": 0.25, "global_clipnorm": 1.0},
    "Adam": {"beta_1": 0.5, "beta_2": 0.25, "epsilon": 0.125, "amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"weight_decay": 0.5, "beta_1": 0.25, "beta_2": 0.75, "epsilon": 0.125, "amsgrad": True},
    "Lion": {"beta_1": 0.5, "beta_2": 0.25, "weight_decay": 0.1, "clipvalue": 1.0},
    "BinaryAccuracy": {"threshold": 0.25, "name": "m"},
    "CategoricalAccuracy": {"groups": [2, 1], "name": "m"},
    "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.25, "groups": [2, 1]},
    "Precision": {"thresholds": 0.25, "class_id": 1, "name": "m"},
    "Recall": {"thresholds": 0.25, "class_id": 1, "name": "m"},
    "TruePositives": {"thresholds": 0.25, "name": "m"},
    "FalsePositives": {"thresholds": 0.25, "name": "m"},
    "TrueNegatives": {"thresholds": 0.25, "name": "m"},
    "FalseNegatives": {"thresholds": 0.25, "name": "m"},
    "AUC": {"curve": "PR", "name": "m"},
    "F1Score": {"average": "macro", "threshold": 0.25, "name": "m"},
    "FBetaScore": {"average": "macro", "beta": 2.0, "threshold": 0.25, "name": "m"},
    "TopKCategoricalAccuracy": {"k": 3, "name": "m"},
    "SparseTopKCategoricalAccuracy": {"k": 3, "name": "m"},
} | {
    name: {"from_logits": True, "label_smoothing": 0.25}
    for name in ("BinaryCrossentropy", "SparseCategoricalCrossentropy")
}
RATES = (0.5, schedules.CosineDecay(0.5, 7, warmup_target=1.0, warmup_steps=3))
MEMBERS = [(family, name) for family in FAMILIES for name in family.members]


def made(family, name):
    """Return objects of a class with its arguments given, a learning rate of each kind for an optimizer."""
    arguments = GIVEN.get(name, {})
    if family is metrics.FAMILY:
        arguments = arguments or {"name": "m"}
        arguments = arguments if "name" in arguments else arguments | {"name": "m"}
    if family is not optimizers.FAMILY:
        return [family.members[name](**arguments)]
    return [family.members[name](learning_rate=rate, **arguments) for rate in RATES]


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_descriptions_make_the_object_again(family, name):
    for thing in made(family, name):
        description = json.loads(json.dumps(thing.describe()))
        for again in (
            family.restore(description),
            family.get(description),
            type(thing).from_config(thing.get_config()),
        ):
            assert type(again) is type(thing)
            assert again.get_config() == thing.get_config()
            assert repr(again) == repr(thing)


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_every_argument_given_here_is_described(family, name):
    for thing in made(family, name):
        config = thing.get_config()
        for argument, value in GIVEN.get(name, {}).items():
            assert argument in config
            if isinstance(value, int | float | list):
                assert config[argument] == value


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.kind)
def test_aliases_make_default_objects(family):
    for alias, member in family.aliases.items():
        if alias not in family.members:
            assert type(family.get(alias)) is member
            assert family.get(family.get(alias).describe()).get_config() == member().get_config()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.kind)
@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        "zeros",
        {},
        {"class_name": "Nothing", "config": {}},
        {"class_name": ["Dense"], "config": {}},
        {"class_name": "Configurable", "config": {}},
        {"class_name": "object", "config": {}},
    ],
)
def test_unknown_descriptions_are_refused(family, description):
    with pytest.raises(ValueError, match=family.kind):
        family.restore(description)


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_arguments_missing_or_unknown_are_refused(family, name):
    description = made(family, name)[0].describe()
    for key in set(description["config"]) - {
        "groups",
        "class_id",
        "curve",
        "amsgrad",
    }:  # which older files lack
        less = {k: v for k, v in description["config"].items() if k != key}
        with pytest.raises(ValueError, match=f"{name} is described by"):
            family.restore({"class_name": name, "config": less})
    for config in ({**description["config"], "extra": 1}, None, []):
        with pytest.raises(ValueError, match=f"{name} is described by"):
            family.restore({"class_name": name, "config": config})
    with pytest.raises(ValueError, match=family.kind):
        family.restore({**description, "module": "os"})


def test_an_activation_is_made_from_its_description():
    for activation in (fd.activations.relu, fd.activations.ActivationFunction("elu", 0.5)):
        again = fd.activations.get(json.loads(json.dumps(activation.describe())))
        assert repr(again) == repr(activation)
    with pytest.raises(ValueError, match="ActivationFunction is described by"):
        fd.activations.get({"class_name": "ActivationFunction"})
    with pytest.raises(ValueError, match="the activation 'relu' has no parameter alpha"):
        fd.activations.ActivationFunction("relu", 0.5)


def test_what_is_no_activation_is_shown_in_part():
    with pytest.raises(TypeError, match="an activation is a name") as caught:
        fd.activations.get({"class_name": "x" * 10_000})
    assert len(str(caught.value)) < 1000


def test_synonyms_of_activations():
    assert fd.activations.get("swish").name == "silu"
    assert fd.activations.get("hard_swish").name == "hard_silu"
    assert fd.activations.get("identity").name == fd.activations.get(None).name == "linear"
