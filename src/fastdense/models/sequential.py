"""The model: a network with its training, its files, and what explains and measures it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fastdense.models import saving
from fastdense.network.model import Model

if TYPE_CHECKING:
    from fastdense.insight.explain import Explanation
    from fastdense.insight.profile import Profile
    from fastdense.insight.report import RunReport

__all__ = ["Sequential"]


class Sequential(Model):
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
        a device other than the default one: "torch", "torch:cuda", "jax:gpu:0", "tensorflow",
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
        saving.save(self, path, include_optimizer, overwrite)

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
        saving.save_weights(self, path, overwrite)

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
        saving.load_weights(self, path)

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
            The format or the ending is unknown.
        FormatError
            The format cannot hold the network.
        NotBuiltError
            The input's width is not known.
        ImportError
            The format's own package is not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        saving.export(self, path, format, **options)

    def explain(self, x: Any, target: Any = None) -> Explanation:
        """Work out what the model makes of one row, every number of it, and the gradient of its loss.

        Parameters
        ----------
        x : array-like of shape (n_in,) or (1, n_in), or a data frame of one row if the model has a table
            Dropouts do nothing: it is a prediction. A model that is not built yet is built for ``x``.
        target : number or array-like of shape (n_out,), optional
            The right answer, as `fit` takes it; for a data frame's row the label or quantity as in its
            column. With it the loss and its gradients are worked out too.

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
        >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(1, "relu")])
        >>> model.set_weights([[[1.0], [2.0]], [0.5]])
        >>> model.explain([3.0, 4.0]).steps[0].Z  # 3 * 1 + 4 * 2 + 0.5
        array([[11.5]])
        """
        from fastdense.insight.explain import explain

        return explain(self, x, target)

    def profile(self, X: Any, seconds: float = 0.1) -> Profile:
        """Measure what each layer of a prediction costs, what limits it, and what would be faster.

        Parameters
        ----------
        X : array-like of shape (m, n_in), a data frame if the model has a table, or int
            As many rows as your calls have; or their number, for rows of random numbers.
        seconds : float, default 0.1
            About how long to time each layer.

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

        Examples
        --------
        >>> import fastdense as fd
        >>> model = fd.Sequential([fd.Input((4,)), fd.Dense(3, "relu"), fd.Dense(1)], seed=0)
        >>> found = model.profile(8, seconds=0.001)
        >>> [layer.operations for layer in found.layers]  # 2 * 8 * 4 * 3, 2 * 8 * 3 * 1
        [192, 48]
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
        data : tuple (X, y), or a data frame with the target if the model has a table; optional
            Rows to measure the model on. By default these are the rows held out for a test, else those held
            out to choose the epoch, else those trained on, as they are now. With a data frame for X, y is as
            in the target's column; else as `fit` takes it.

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
            matplotlib or Jinja2, which make the page, is not installed.
        OSError
            The page cannot be saved; this, a wrong name and a missing package are found before measuring.
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
