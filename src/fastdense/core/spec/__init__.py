"""What an engine is given: a network, its loss and its optimizer, as plain frozen data.

Every engine compiles from these and nothing else, so an engine never sees a layer object, a callback or
an estimator. Every room may import this one.

Parameters travel beside the specs, as one tuple of arrays per layer, in the order in which the layer's spec
declares them (`DenseSpec.parameters`). "The trained parameters" are those declared as trained, in the order
of the layers.
"""

from fastdense.core.spec.layers import (
    ACTIVATIONS,
    ActivateSpec,
    ActivationSpec,
    DenseSpec,
    DropoutSpec,
    LayerSpec,
    Parameter,
    Penalty,
    ScaleSpec,
    group_slices,
)
from fastdense.core.spec.losses import (
    LOSSES,
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    HuberSpec,
    LossSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    PoissonSpec,
    QuantileSpec,
    SparseCategoricalCrossentropySpec,
)
from fastdense.core.spec.network import (
    NetworkSpec,
    TrainingSpec,
    check_parameters,
    loss_of_logits,
    loss_reads_logits,
    trained_arrays,
    with_trained,
)
from fastdense.core.spec.optimizers import (
    OPTIMIZERS,
    AdagradSpec,
    AdamSpec,
    OptimizerSpec,
    RMSpropSpec,
    SGDSpec,
)

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "OPTIMIZERS",
    "ActivateSpec",
    "ActivationSpec",
    "AdagradSpec",
    "AdamSpec",
    "BinaryCrossentropySpec",
    "CategoricalCrossentropySpec",
    "DenseSpec",
    "DropoutSpec",
    "HuberSpec",
    "LayerSpec",
    "LossSpec",
    "MeanAbsoluteErrorSpec",
    "MeanSquaredErrorSpec",
    "NetworkSpec",
    "OptimizerSpec",
    "Parameter",
    "Penalty",
    "PoissonSpec",
    "QuantileSpec",
    "RMSpropSpec",
    "SGDSpec",
    "ScaleSpec",
    "SparseCategoricalCrossentropySpec",
    "TrainingSpec",
    "check_parameters",
    "group_slices",
    "loss_of_logits",
    "loss_reads_logits",
    "trained_arrays",
    "with_trained",
]
