"""Who learns the tables: each method is a line of `METHODS`, which names an estimator of scikit-learn's kind.

Estimators get class numbers or the numbers to predict, and columns of float64 and of pandas' categories;
those of fastdense get the columns as they came. All run on one thread, with their default parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

CLASSIFY = "classify"


class Method(NamedTuple):
    """``make(task, seed, X)`` returns an estimator for columns as those of X."""

    make: Callable[[str, int, pd.DataFrame], Any]
    module: str
    raw: bool = False


def categories(X: pd.DataFrame) -> list[str]:
    return list(X.columns[X.dtypes == "category"])


def filled(estimator: Any, X: pd.DataFrame) -> Any:
    """Return an estimator that refuses missing numbers behind their medians, and columns that say where."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    numbers = [name for name in X.columns if X[name].isna().any() and X[name].dtype == np.float64]
    fill = SimpleImputer(strategy="median", add_indicator=True)
    columns = make_column_transformer(
        (fill, numbers), remainder="passthrough", verbose_feature_names_out=False
    )
    return make_pipeline(columns.set_output(transform="pandas"), estimator) if numbers else estimator


def hist_gradient_boosting(task: str, seed: int, X: pd.DataFrame) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if task == CLASSIFY else HistGradientBoostingRegressor
    return kind(categorical_features="from_dtype", random_state=seed)


def multilayer_perceptron(task: str, seed: int, X: pd.DataFrame) -> Any:
    """Return scikit-learn's network behind the usual pipeline, which standardizes numbers to predict too."""
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    named = categories(X)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, list(X.columns.difference(named, sort=False))), (texts, named)
    )
    if task == CLASSIFY:
        return make_pipeline(columns, MLPClassifier(random_state=seed))
    model = make_pipeline(columns, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def lightgbm(task: str, seed: int, X: pd.DataFrame) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if task == CLASSIFY else LGBMRegressor
    return kind(n_jobs=1, random_state=seed, verbose=-1)


def catboost(task: str, seed: int, X: pd.DataFrame) -> Any:
    """Return CatBoost behind a step that makes missing categories a category, which it asks for."""
    from catboost import CatBoostClassifier, CatBoostRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    kind = CatBoostClassifier if task == CLASSIFY else CatBoostRegressor
    named = categories(X)
    model = kind(cat_features=named, thread_count=1, random_seed=seed, verbose=0, allow_writing_files=False)
    return make_pipeline(FunctionTransformer(partial(texts_of, named=named)), model)


def texts_of(X: pd.DataFrame, named: list[str]) -> pd.DataFrame:
    return X.assign(**{name: X[name].astype(object).where(X[name].notna(), "missing") for name in named})


def pytabkit(name: str, task: str, seed: int, X: pd.DataFrame) -> Any:
    """Return an estimator of pytabkit's, which holds out a fifth of the rows itself."""
    from pytabkit.models.sklearn import sklearn_interfaces

    kind = getattr(sklearn_interfaces, f"{name}_{'Classifier' if task == CLASSIFY else 'Regressor'}")
    return filled(kind(device="cpu", n_cv=1, n_threads=1, random_state=seed), X)


class TrainTable:
    """`fastdense.tabular.train_table` with its default recipe, as an estimator."""

    def __init__(self, task: str, seed: int) -> None:
        self.task, self.seed = task, seed

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> TrainTable:
        from fastdense.tabular import train_table

        frame = X.assign(target=y)
        self.model = train_table(frame, "target", task=self.task, seed=self.seed, verbose=0)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        from fastdense.tabular import predict_table

        return np.asarray(predict_table(self.model, X).values)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return self.model.predict(X)


def before(task: str, seed: int, X: pd.DataFrame) -> Any:
    return TrainTable(task, seed)


class Learned:
    """`fastdense.tabular.learn` as an estimator; ``recipe.NAME`` is a parameter of the recipe."""

    def __init__(self, task: str, seed: int, parameters: dict[str, Any]) -> None:
        self.task, self.seed, self.parameters = task, seed, parameters

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Learned:
        from fastdense.tabular import Settings, learn
        from fastdense.tabular.recipes import Recipe

        start = "recipe."
        of_recipe = {k.removeprefix(start): v for k, v in self.parameters.items() if k.startswith(start)}
        others = {k: v for k, v in self.parameters.items() if not k.startswith(start)}
        recipe = replace(Recipe(), **of_recipe)
        settings = Settings(seed=self.seed, n_threads=1, verbose=0, recipe=recipe, **others)
        self.model = learn(X, y, task=self.task, settings=settings)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.model.predict(X))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return self.model.predict_proba(X)


def learned(parameters: dict[str, Any], task: str, seed: int, X: pd.DataFrame) -> Any:
    return Learned(task, seed, parameters)


METHODS = {
    "fastdense": Method(partial(learned, {"n_models": 1}), "fastdense", raw=True),
    "fastdense, 8 networks": Method(partial(learned, {"n_models": 8}), "fastdense", raw=True),
    "fastdense (before)": Method(before, "fastdense", raw=True),
    "HistGradientBoosting": Method(hist_gradient_boosting, "sklearn"),
    "MLP of scikit-learn": Method(multilayer_perceptron, "sklearn"),
    "LightGBM": Method(lightgbm, "lightgbm"),
    "CatBoost": Method(catboost, "catboost"),
    "RealMLP-TD": Method(partial(pytabkit, "RealMLP_TD"), "pytabkit"),
    "RealMLP-TD-S": Method(partial(pytabkit, "RealMLP_TD_S"), "pytabkit"),
    "TabM-D": Method(partial(pytabkit, "TabM_D"), "pytabkit"),
}


def installed(name: str) -> bool:
    """Return True if a method's library is there."""
    return find_spec(METHODS[name].module) is not None
