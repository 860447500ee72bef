"""What Keras has and fastdense has not: imported all the same, refused with what to do instead."""

import pytest

import fastdense as fd
from fastdense.layers import BatchNormalization, Conv2D


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (BatchNormalization, r"no BatchNormalization: train with Normalization.*a file that has it is read"),
        (
            lambda: Conv2D(32, (3, 3), activation="relu"),
            r"no Conv2D: rows have no pixels here: pass X",
        ),
        (fd.layers.Flatten, r"no Flatten: rows are flat here"),
        (lambda: fd.optimizers.Nadam(0.01), "no Nadam: use Adam"),
        (lambda: fd.callbacks.TensorBoard(log_dir="logs"), "no TensorBoard: use CSVLogger"),
        (fd.losses.LogCosh, "no LogCosh: train with Huber"),
        (fd.metrics.MeanIoU, "no MeanIoU: give metrics a function"),
        (fd.initializers.Orthogonal, "no Orthogonal: use GlorotUniform"),
        (fd.regularizers.OrthogonalRegularizer, "no OrthogonalRegularizer: .* use L2"),
    ],
)
def test_a_class_says_what_to_use(make, message):
    with pytest.raises(NotImplementedError, match=f"fastdense has {message}"):
        make()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "nadam", "loss": "mse"}, "unknown optimizer 'nadam': use Adam or AdamW; known: sgd"),
        ({"loss": "squared_hinge"}, "unknown loss 'squared_hinge': use BinaryCrossentropy or .*; known: "),
        ({"loss": "mse", "metrics": ["mean_io_u"]}, "unknown metric 'mean_io_u': give metrics a function"),
        ({"optimizer": "sdg", "loss": "mse"}, "unknown optimizer 'sdg'; known: sgd"),
    ],
)
def test_a_name_says_what_to_use(arguments, message):
    with pytest.raises(ValueError, match=message):
        fd.Sequential([fd.Dense(1)]).compile(**arguments)


def test_other_names_are_unknown():
    for module in (fd.layers, fd.callbacks, fd.metrics, fd.losses, fd.optimizers, fd.initializers):
        for name in ("Dens", "conv2d", "_private", "__wrapped__"):
            assert not hasattr(module, name)
    with pytest.raises(AttributeError, match="no attribute 'constraints': weights have no constraints"):
        fd.constraints  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        fd.nothing  # noqa: B018
