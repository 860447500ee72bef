"""Ensembles from files."""

from __future__ import annotations

import os

from fastdense.exchange import ensembles
from fastdense.models.loading import model_of
from fastdense.network.joined import FrozenEnsemble, freeze_together

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> FrozenEnsemble:
    """Read an ensemble that `Ensemble.save` wrote; scikit-learn is not needed.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    FrozenEnsemble
        It predicts the bits of the ensemble that was saved, and has its ``classes``.

    Raises
    ------
    FormatError
        The file is damaged, of another kind or version, or holds anything that is not known.
    OSError
        It cannot be opened.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = fd.MLPClassifier((8,), learning_rate_init=0.03, max_iter=500)
    >>> ensemble = fd.search.Ensemble(network, n=3, random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     ensemble.save(f"{folder}/iris.safetensors")
    ...     loaded = fd.search.load(f"{folder}/iris.safetensors")
    >>> bool((loaded.predict(X) == ensemble.predict_proba(X)).all())
    True
    """
    contents, classes = ensembles.read(path)
    return freeze_together([model_of(content) for content in contents], classes)
