"""A graph in the making: operators and constants, whose outputs get their names as they come."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Nodes"]


class Nodes:
    """The operators and constants of a graph.

    Attributes
    ----------
    protos : list of onnx.NodeProto
    constants : list of onnx.TensorProto
    """

    def __init__(self) -> None:
        self.protos: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: Any, stem: str = "constant") -> str:
        """Add a constant array or NumPy number and return its name."""
        from onnx import numpy_helper

        name = f"{stem}_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.require(values, requirements="C"), name))
        return name

    def texts(self, values: Any, stem: str = "texts") -> str:
        """Add a constant array of texts and return its name."""
        from onnx import TensorProto, helper

        name = f"{stem}_{len(self.constants)}"
        encoded = [text.encode() for text in np.ravel(values).tolist()]
        self.constants.append(helper.make_tensor(name, TensorProto.STRING, np.shape(values), encoded))
        return name

    def cast(self, value: str, dtype: str) -> str:
        """Add a Cast to a dtype and return its output's name."""
        from onnx import helper

        return self.add("Cast", value, to=int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype))))

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator and return its output's name."""
        return self.add_several(op, *inputs, outputs=1, **attributes)[0]

    def add_several(self, op: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Add an operator and return its outputs' names."""
        from onnx import helper

        name = f"{op}_{len(self.protos)}"
        names = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        self.protos.append(helper.make_node(op, inputs, names, name=name, **attributes))
        return names
