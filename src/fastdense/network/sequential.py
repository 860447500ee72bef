"""The model: layers one after another, with their training."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdense.engines import Library
from fastdense.layers import Input, Layer
from fastdense.network.stack import Stack
from fastdense.network.summary import html_summary, text_summary
from fastdense.training.accepted import accept
from fastdense.training.trainer import Trainer

if TYPE_CHECKING:
    from fastdense.insight.explain import Explanation
    from fastdense.insight.profile import Profile
    from fastdense.insight.report import RunReport

__all__ = ["Sequential"]

_LEFT_OUT = dict.fromkeys(("_compiled", "_live", "_measuring", "run"))
"""What a copy does not take over: compiled programs, which are made again, and the rows of the last fit."""


class Sequential(Stack, Trainer):
    """A network of layers one after another, with Keras' methods.

    Parameters
    ----------
    layers : sequence of Layer, optional
        An `Input` may come first; without one the width of the first data decides. `add` appends more.
    name : str
    seed : int, optional
        Decides the initial weights, the order of rows in training and the dropout masks; None chooses one
        and keeps it in ``seed``. Same seed, same data, same calls: same bits.
    dtype : "float32" or "float64"
        What weights and activations are computed in.
    engine : str or Library
        What computes: "auto" (the fastest for NumPy arrays, unless the environment variable
        ``FASTDENSE_ENGINE`` names another), "native", "array" or "reference"; or another array library, with
        a device where it is not to be the default one: "torch", "torch:cuda", "jax:gpu:0", "tensorflow",
        "cupy". See `fastdense.engines.choose`.

    Attributes
    ----------
    table
        What turns a table's rows into the model's inputs (`fastdense.tables.Table`), or None. With one,
        `predict` takes data frames too.

    Examples
    --------
    >>> import numpy as np
    >>> import fastdense as fd
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])
    >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(8, "tanh"), fd.Dense(1, "sigmoid")], seed=0)
    >>> model.compile(optimizer=fd.optimizers.Adam(0.1), loss="binary_crossentropy")
    >>> history = model.fit(X, y, epochs=100, verbose=0)
    >>> model.predict(X).round().ravel()
    array([0., 1., 1., 0.], dtype=float32)
    """

    def __init__(
        self,
        layers: Sequence[Layer | Input] | None = None,
        name: str = "sequential",
        *,
        seed: int | None = None,
        dtype: str = "float32",
        engine: str | Library = "auto",
    ) -> None:
        super().__init__(layers, name, seed=seed, dtype=dtype, engine=engine)

    def add(self, layer: Layer | Input) -> None:
        """Append a layer; it is built at once where its input's width is known."""
        super().add(layer)
        self.forget_training()

    def pop(self) -> Layer:
        """Remove and return the last layer."""
        layer = super().pop()
        self.forget_training()
        return layer

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the compiled programs, which are made again, and the last fit's rows.

        The layers and the optimizer follow on their own, and training may replace what they hold meanwhile:
        all of it as it is at one moment goes with the model.
        """
        state = self.state()
        return {**self.__dict__, **state.settings, **_LEFT_OUT, "_slots": state.slots, "_state": state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave, the layers' weights and the steps all of one moment."""
        moment = state.pop("_state", None)
        self.__dict__.update(state)
        if moment is not None:
            self.rewind(moment)

    def __copy__(self) -> Sequential:
        """Return an independent model with the weights of now; it shares arrays: nothing writes to them."""
        new, state = type(self).__new__(type(self)), self.state()
        new.__dict__.update({**self.__dict__, **state.settings, **_LEFT_OUT})
        new._layers = [copy.copy(layer) for layer in state.moment.layers]
        if new.loss is not None:
            new.optimizer = copy.copy(new.optimizer)
        new.rewind(state)
        return new

    def summary(self, print_fn: Any = None, **accepted: Any) -> None:
        """Print the layers with their shapes and parameter counts.

        Parameters
        ----------
        print_fn : callable, optional
            What the text is given to; None prints it.
        **accepted
            Keras' arguments about the look, such as ``line_length``: without effect.
        """
        accept("summary", accepted)
        (print if print_fn is None else print_fn)(
            text_summary(self.name, self._n_in, self.layers, self._bytes())
        )

    def save(
        self, path: str | os.PathLike[str], include_optimizer: bool = True, *, overwrite: bool = True
    ) -> None:
        """Save the model to one safetensors file, which `fastdense.load` reads; or to Keras' own.

        Parameters
        ----------
        path : path-like
            Ends in ".safetensors"; or in ".keras", and then holds the layers and weights but no training, as
            a `FormatWarning` says where there is any. The file is replaced only once the new one is safely on
            the disk.
        include_optimizer : bool
            Save the loss, the metrics and the optimizer's state too, so that training can go on.
        overwrite : bool
            False refuses to replace a file.

        Raises
        ------
        FormatError
            Another ending, or something that a code-free file cannot hold, such as a Python function.
        FileExistsError
            There is a file, and it is not to be replaced.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        from fastdense.formats.models import save  # formats know networks, and not the other way round

        save(copy.copy(self), path, include_optimizer, overwrite)  # which nothing changes meanwhile

    def save_weights(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save the weights alone, for `load_weights` of a model of the same layers.

        Parameters
        ----------
        path : path-like
            Ends in ".weights.h5", which Keras 3 reads and writes too, or in ".safetensors". The file is
            replaced only once the new one is safely on the disk.
        overwrite : bool
            False refuses to replace a file.

        Raises
        ------
        FormatError
            Another ending.
        FileExistsError
            There is a file, and it is not to be replaced.
        NotBuiltError
            There are no weights yet.
        ImportError
            The package h5py, for ".weights.h5", is not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        from fastdense.formats.models import save_weights

        save_weights(copy.copy(self), path, overwrite)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take the weights from a file; on an error nothing is changed.

        Parameters
        ----------
        path : path-like
            Weights alone, as `save_weights` here or in Keras writes them, or a whole model: ".safetensors",
            ".keras" or ".h5". The layers must be of the same kinds and shapes in the same order.

        Raises
        ------
        FormatError, ShapeError
            The file is damaged or of another kind, or its layers are not those of the model.
        NotBuiltError
            The model has no weights yet.
        ImportError
            The package pyfive, for Keras' files, is not installed.
        OSError
            The file cannot be opened.
        """
        from fastdense.formats.models import load_weights

        load_weights(self, path)

    def export(self, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> None:
        """Write the model for other software.

        Parameters
        ----------
        path : path-like
        format : "onnx", "keras", "torch" or "c", optional
            None takes it from the path's ending: ".onnx"; ".keras"; ".safetensors", for PyTorch's weights; or
            ".c", with a header beside it.
        **options
            Of the format's own writer: `fastdense.formats.onnx.write_onnx` takes ``table`` and ``dtype``,
            `fastdense.formats.c.write_c` a ``name``; see also `fastdense.formats.keras.write_keras` and
            `fastdense.formats.torch.write_torch_weights`.

        Raises
        ------
        ValueError
            There is no such format, or none of that ending.
        FormatError
            The format cannot hold the network.
        NotBuiltError
            The input's width is not known.
        ImportError
            The format's own package is not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        from fastdense.formats.models import export

        export(copy.copy(self), path, format, **options)

    def explain(self, x: Any, target: Any = None) -> Explanation:
        """Work out what the model makes of one row, every number of it, and the gradient of its loss.

        Parameters
        ----------
        x : array-like of shape (n_in,) or (1, n_in), or a data frame of one row where the model has a table
        target : number or array-like of shape (n_out,), optional
            The right answer, as `fit` takes it: the loss and its gradients are worked out too.

        Returns
        -------
        Explanation
            Printed as the formulas with their numbers; its ``steps`` have the arrays.

        Raises
        ------
        ShapeError
            ``x`` is not one row of the model's columns.
        NotBuiltError
            There are no weights yet, or no loss for the target.

        Examples
        --------
        >>> import fastdense as fd
        >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(1)])
        >>> model.set_weights([[[1.0], [2.0]], [0.5]])
        >>> model.explain([3.0, 4.0]).prediction
        array([[11.5]])
        """
        from fastdense.insight.explain import explain

        return explain(self, x, target)

    def profile(self, X: Any, seconds: float = 0.1) -> Profile:
        """Measure what each layer of a prediction costs, what limits it, and what would be faster.

        Parameters
        ----------
        X : array-like of shape (m, n_in), a data frame where the model has a table, or int
            As many rows as a call of yours has, or how many: they are random numbers then.
        seconds : float, default 0.1
            How long to time each layer, about.

        Returns
        -------
        Profile
            Printed as a table, with what was tried and is faster.

        Raises
        ------
        ShapeError, DtypeError
            As `predict`.
        ValueError
            There are no rows.
        """
        from fastdense.insight.profile import profile

        return profile(self, X, seconds)

    def report(self, path: str | os.PathLike[str] | None = None, data: Any = None) -> RunReport:
        """Measure what the last `fit` came to, and save it as a page.

        The page holds the curves; confusions, classes one by one and calibration, or residuals; the network
        drawn; times and rates; and the code that does it again. It needs no other file and no network.

        Parameters
        ----------
        path : path-like, optional
            A name that ends in .html; nothing is saved without one.
        data : tuple (X, y), or a data frame with the target where the model has a table; optional
            Rows to measure the model on: by default those that `fit` held out, or trained on where it held
            none out.

        Returns
        -------
        RunReport
            Printed as a few lines; notebooks show the page.

        Raises
        ------
        NotBuiltError
            There was no `fit` since the model was made, loaded or copied.
        ValueError
            The name ends otherwise, or the data are none of these.
        ImportError
            matplotlib, which draws the page, is not installed.
        ShapeError, DtypeError, NonFiniteError
            The rows cannot be measured.

        Examples
        --------
        >>> import fastdense as fd
        >>> model = fd.Sequential([fd.Input((1,)), fd.Dense(1)], seed=0)
        >>> model.compile(fd.optimizers.SGD(0.1), "mean_squared_error")
        >>> history = model.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=60, verbose=0)
        >>> print(model.report())
        Model 'sequential', trained ...
        3 rows; 60 epochs of 1 step
        ...
        """
        from fastdense.insight.report import report

        return report(self, path, data)

    def __repr__(self) -> str:
        start = [] if self._n_in is None else [f"Input(({self._n_in},))"]
        inside = ", ".join([*start, *map(repr, self._layers)])
        dtype = "" if self.dtype == "float32" else f", dtype={self.dtype!r}"
        return f"Sequential([{inside}], name={self.name!r}, seed={self.seed}{dtype})"

    def _repr_html_(self) -> str:
        return html_summary(self.name, self._n_in, self.layers, self._bytes())

    def _bytes(self) -> int:
        return np.dtype(self.dtype).itemsize
