"""The recipe that networks for tables are built and trained by: all of its constants."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self

from fastdense import activations
from fastdense.core.checks import fraction, number, whole

__all__ = ["ByTask", "Recipe"]


class ByTask(NamedTuple):
    """A constant that differs between the tasks."""

    classify: Any
    regress: Any


_CURVES = ByTask("selu", "mish")
_RATES = ByTask(0.04, 0.2)


_EPOCHS = ByTask(64, 128)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the networks for a table are built and trained.

    A constant may be a `ByTask`: one to classify and one to regress. The defaults are those of RealMLP-TD
    [1]_, except for the batch size and the number of epochs: its network embeds numbers by trained periods
    [2]_ and starts from the data.

    Attributes
    ----------
    hidden : tuple of int
        Units of the hidden layers.
    activation : str or ByTask
    frequencies, width : int
        Of the embedding of each number: see `fastdense.layers.PeriodicEmbedding`.
    sigma : float
        The standard deviation of the first frequencies.
    category_width : int
        The numbers that a category of more than nine values is embedded in.
    learning_rate : float or ByTask
        Of the kernels, as those of a layer in neural tangent parametrisation: ``X @ (W / sqrt(n_in))``.
    scale_rate, embedding_rate, alpha_rate, bias_rate : float
        What the learning rate is multiplied by for the scales of the features, the embeddings of numbers, the
        activations' ``alpha`` and the biases. The weight decay is multiplied by the same number, and then by
        the rate: a step takes off the square of it. Biases do not decay.
    weight_decay : float
    beta_1, beta_2, epsilon : float
        AdamW's.
    dropout : float
    label_smoothing : float
        To classify.
    epochs : int or ByTask
        On sixteen public tables of at most 6,000 training rows, two splits each, and relative to pytabkit's
        RealMLP-TD with its 256 epochs, the class error is 0.4% lower and the log loss 2% lower with 64
        epochs; the root mean square error is 4.3% higher with 64 and 2.6% higher with 128 (geometric means).
    batch_size : int or None
        None takes 64 for up to 1,024 rows, 128 up to 8,192, 256 up to 30,000, 512 up to 100,000, then 1,024.
        Rows per step; the rows left over at the end of an epoch are not trained on in it.
    start_rows : int
        The rows that the first weights are found from, at most.

    References
    ----------
    .. [1] D. Holzmueller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and
       boosted trees on tabular data", 2024.
    .. [2] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in tabular
       deep learning", 2022.

    Examples
    --------
    >>> Recipe(epochs=64).of("regress").activation
    'mish'
    """

    hidden: tuple[int, ...] = (256, 256, 256)
    activation: str | ByTask = _CURVES
    frequencies: int = 16
    width: int = 4
    sigma: float = 0.1
    category_width: int = 8
    learning_rate: float | ByTask = _RATES
    scale_rate: float = 6.0
    embedding_rate: float = 0.1
    alpha_rate: float = 0.1
    bias_rate: float = 0.1
    weight_decay: float = 0.02
    beta_1: float = 0.9
    beta_2: float = 0.95
    epsilon: float = 1e-8
    dropout: float = 0.15
    label_smoothing: float = 0.1
    epochs: int | ByTask = _EPOCHS
    batch_size: int | None = None
    start_rows: int = 10_000

    def __post_init__(self) -> None:
        """Check every constant; TypeError or ValueError for one that cannot be."""
        for units in self.hidden:
            whole("a hidden layer's units", units, 1)
        for name in ("frequencies", "category_width", "start_rows"):
            whole(name, getattr(self, name), 1)
        if self.batch_size is not None:
            whole("batch_size", self.batch_size, 1)
        whole("width", self.width, 2)
        for name in ("scale_rate", "embedding_rate", "alpha_rate", "bias_rate", "weight_decay"):
            number(name, getattr(self, name), minimum=0.0)
        for name in ("sigma", "epsilon"):
            number(name, getattr(self, name), above=0.0)
        for name in ("beta_1", "beta_2", "dropout", "label_smoothing"):
            fraction(name, getattr(self, name))
        for epochs in _each(self.epochs):
            whole("epochs", epochs, 1)
        for rate in _each(self.learning_rate):
            number("learning_rate", rate, above=0.0)
        for name in _each(self.activation):
            activations.get(name)

    @classmethod
    def published(cls) -> Self:
        """Return RealMLP-TD's constants as they were published, whatever the defaults are."""
        return cls(
            hidden=(256, 256, 256),
            activation=ByTask("selu", "mish"),
            frequencies=16,
            width=4,
            sigma=0.1,
            category_width=8,
            learning_rate=ByTask(0.04, 0.2),
            scale_rate=6.0,
            embedding_rate=0.1,
            alpha_rate=0.1,
            bias_rate=0.1,
            weight_decay=0.02,
            beta_1=0.9,
            beta_2=0.95,
            epsilon=1e-8,
            dropout=0.15,
            label_smoothing=0.1,
            epochs=256,
            batch_size=256,
            start_rows=10_000,
        )

    def of(self, task: str) -> Self:
        """Return the recipe for a task, "classify" or "regress"."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(self, **{k: getattr(v, task) for k, v in own.items() if isinstance(v, ByTask)})


def _each(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, ByTask) else (value,)
