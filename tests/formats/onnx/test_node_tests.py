"""ONNX's own tests of its operators, each as a network of that one node (or of what it expands to)."""

from __future__ import annotations

import re
import warnings
from functools import cache

import numpy as np
import pytest

from fastdense.errors import FormatError
from fastdense.formats.onnx import read_onnx
from tests.compare import assert_within

onnx = pytest.importorskip("onnx")

OPERATORS = (
    "Add", "BatchNorm", "Celu", "Clip", "Div", "Dropout", "Elu", "Exp", "Flatten", "Gelu", "Gemm",
    "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "MatMul", "Mish", "Mul", "Neg", "PRelu", "Relu",
    "Reshape", "Selu", "Sigmoid", "Softmax", "Softplus", "Softsign", "Sub", "Swish", "Tanh",
    "ThresholdedRelu", "Training_Dropout", "Transpose",
)  # fmt: skip
# What no dense network computes, with the words of the refusal.
REFUSED = {
    "test_add": "one number per column",
    "test_batchnorm_epsilon_training_mode": "training mode",
    "test_batchnorm_example_training_mode": "training mode",
    "test_clip_min_greater_than_max": "its limits are 2 and 1",
    "test_div": "one number per column",
    "test_flatten_axis0": "another shape",
    "test_gemm_all_attributes": "not transposed",  # of A, whose rows are the examples
    "test_gemm_default_matrix_bias": "one number per column",  # one a row and column
    "test_gemm_transposeA": "not transposed",
    "test_matmul_1d_3d": "weights are not a matrix",
    "test_matmul_3d": "weights are not a matrix",
    "test_matmul_4d": "weights are not a matrix",
    "test_matmul_bcast": "weights are not a matrix",
    "test_mul": "one number per column",
    "test_prelu_broadcast_expanded": "not part of a dense network",
    "test_prelu_example": "one number per column",
    "test_prelu_example_expanded": "not part of a dense network",
    "test_selu_example_expanded_ver18": "not part of a dense network",  # other constants than the paper's
    "test_selu_expanded_ver18": "not part of a dense network",
    "test_softmax_axis_0": "along the rows of the batch",
    "test_sub": "one number per column",
}
REFUSED_KINDS = {
    "test_reshape": "another shape",
    "test_thresholdedrelu": "at its threshold|not part of a dense network",
    "test_training_dropout": "training mode",
    "test_transpose": "transposes",
}
# A Softmax written out in functions is not known again; products with a vector leave no columns; the others
# are of axes that a matrix does not have.
LEFT_OUT = re.compile(
    r"test_softmax_.*expanded|test_matmul_\dd_1d|test_softmax_axis_[12]|test_flatten_(axis[23]|negative_axis)"
)


@cache
def cases():
    """Return all cases whose first input is of floats."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are made of numbers that overflow
        from onnx.backend.test.case.node import collect_testcases

        found = collect_testcases(None)
    return [case for case in found if case.data_sets and is_of_floats(case.data_sets[0][0])]


def cases_of(operator):
    name = re.compile(rf"test_{operator.lower()}(_|$)")
    return [case for case in cases() if name.match(case.name) and not LEFT_OUT.match(case.name)]


def is_of_floats(inputs):
    first = inputs[0] if inputs else None
    return (
        isinstance(first, np.ndarray)
        and first.ndim > 0
        and first.size > 0
        and first.dtype in (np.float32, np.float64)
    )


def as_matrix(case, X):
    """Return an input as rows of the axis that the operator works along."""
    if case.name.startswith("test_batchnorm"):
        X = np.moveaxis(X, 1, -1)
    return X.reshape(len(X), -1) if "flatten" in case.name else X.reshape(-1, X.shape[-1])


def with_constants(case, X):
    """Return the model of a case with a matrix as its one input, and all else that goes in as constants."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for value, array in list(zip(model.graph.input, case.data_sets[0][0], strict=True))[1:]:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), value.name))
    shape = model.graph.input[0].type.tensor_type.shape
    del shape.dim[:]
    for size in X.shape:
        shape.dim.add().dim_value = size
    return model


def refusal(name):
    kinds = [words for stem, words in REFUSED_KINDS.items() if name.startswith(stem)]
    return REFUSED.get(name, kinds[0] if kinds else None)


@pytest.mark.parametrize("operator", OPERATORS)
def test_nodes(tmp_path, operator):
    assert cases_of(operator)
    for case in cases_of(operator):
        inputs, outputs = case.data_sets[0]
        X = as_matrix(case, inputs[0])
        path = tmp_path / f"{case.name}.onnx"
        onnx.save(with_constants(case, X), path)
        output, words = case.model.graph.output[0].name, refusal(case.name)
        if words is not None:
            with pytest.raises(FormatError, match=words):
                read_onnx(path, output)
            continue
        found, expected = read_onnx(path, output).predict(X), as_matrix(case, outputs[0])
        # Sums of at most ten products of numbers of about 1, and constants that are folded into them.
        bound = 32 * np.finfo(np.float32).eps * np.maximum(1.0, np.abs(expected))
        assert_within(found, expected, bound, case.name)


def test_every_refusal_is_met():
    names = {case.name for operator in OPERATORS for case in cases_of(operator)}
    assert set(REFUSED) <= names
    assert all(any(name.startswith(stem) for name in names) for stem in REFUSED_KINDS)
