"""What a fitted ensemble becomes: networks, one thing that only predicts, and files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from sklearn.utils.validation import check_is_fitted

from fastdense.estimators.goal import Goal
from fastdense.estimators.members import networks_of
from fastdense.exchange import ensembles
from fastdense.exchange.content import Content
from fastdense.exchange.table import exported
from fastdense.models.saving import check_free, content_of
from fastdense.models.sequential import Sequential
from fastdense.network.joined import FrozenEnsemble, freeze_together

__all__ = ["Outlets"]


class Outlets:
    """An ensemble's ways out; `fastdense.search.Ensemble` has them."""

    estimators_: list[Any]
    _goal: Goal

    def to_networks(self) -> list[Sequential]:
        """Return the members' networks, all with the same outputs.

        A classifier's outputs are the probabilities of ``classes_``; for two classes, of the second one.

        Raises
        ------
        NotFittedError
        """
        check_is_fitted(self, "estimators_")
        return networks_of(self.estimators_, self._goal)

    def freeze(self) -> FrozenEnsemble:
        """Return what predicts the mean of the members' outputs at the least cost per call.

        Raises
        ------
        NotFittedError
        """
        return freeze_together(self.to_networks(), getattr(self, "classes_", None))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Save the members' networks and the classes to one safetensors file.

        `fastdense.search.load` reads it, and predicts the same bits.

        Parameters
        ----------
        path : path-like
            Ends in ".safetensors". The file is replaced only once the new one is safely on the disk.
        overwrite : bool
            False refuses to replace a file.

        Raises
        ------
        NotFittedError
        FormatError
            Another ending, or classes that are neither numbers nor texts.
        FileExistsError
            There is a file, and it is not to be replaced.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        check_free(path, overwrite)
        ensembles.write(self._contents(), getattr(self, "classes_", None), path)

    def export(self, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> None:
        """Write the mean of the members' outputs for other software.

        Parameters
        ----------
        path : path-like
        format : "onnx" or "c", optional
            None takes it from the path's ending: ".onnx"; or ".c", with a header beside it.
        **options
            ``dtype`` for ONNX, ``name`` for C: see `fastdense.formats.onnx.write_onnx` and
            `fastdense.formats.c.write_c`.

        Raises
        ------
        NotFittedError
        ValueError
            The format or the ending is unknown.
        FormatError
            The format holds no mean of several networks.
        ImportError
            The package onnx, for ".onnx", is not installed.
        OSError
            The file cannot be written; what was there before is untouched.
        """
        exported(path, format).write_mean(self._contents(), path, **options)

    def _contents(self) -> list[Content]:
        """Return what files hold of the members: the seeds mean nothing, as no weights are drawn."""
        return [replace(content_of(network), seed=0) for network in self.to_networks()]
