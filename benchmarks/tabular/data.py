"""The tables: how each file is read, and how its rows are split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

# Beside the checkout; none of it is ever copied into the project.
DATA = Path(__file__).parents[2].parent / "shared" / "data"
MOST_TRAINING, MOST_TEST, SHARE = 6_000, 10_000, 0.8


class Source(NamedTuple):
    """A file, and what has to be known to read it."""

    file: str
    task: str
    target: str = "target"
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed
    drop: tuple[str, ...] = ()
    date: str | None = None
    date_format: str = "%d/%m/%Y"


def _numbered(count: int) -> dict[str, Any]:
    """Return how to read a file that does not name its columns."""
    return {"header": None, "names": [f"column_{k}" for k in range(1, count + 1)]}


TEXT_OF_ADULT = {"skipinitialspace": True, "na_values": ["?"]}
SOURCES = {
    "adult": Source("adult_train.csv", "classify", "column_15", _numbered(15) | TEXT_OF_ADULT),
    "covtype": Source("covtype_20k.csv", "classify", "column_55", _numbered(55)),
    "magic04": Source("magic04.csv", "classify", "10"),
    "telco_churn": Source("telco_churn.csv", "classify", "Churn", {"na_values": [" "]}, ("customerID",)),
    "bank_churn": Source("tables/bank_churn.classification.csv.gz", "classify"),
    "heloc": Source("tables/heloc.classification.csv.gz", "classify"),
    "hr_analytics": Source("tables/hr_analytics.classification.csv.gz", "classify"),
    "online_shoppers": Source("tables/online_shoppers.classification.csv.gz", "classify"),
    "students": Source("tables/students.classification.csv.gz", "classify"),
    "california_housing": Source("california_housing.csv", "regress", "median_house_value"),
    "power_plant": Source("power_plant.txt", "regress", "column_5", _numbered(5) | {"sep": r"\s+"}),
    "airfoil": Source("tables/airfoil.regression.csv.gz", "regress"),
    "concrete": Source("tables/concrete.regression.csv.gz", "regress"),
    "elevators": Source("tables/elevators.regression.csv.gz", "regress"),
    "miami_housing": Source("tables/miami_housing.regression.csv.gz", "regress"),
    "seoul_bike": Source("tables/seoul_bike.regression.csv.gz", "regress", date="Date"),
}


@dataclass(frozen=True)
class Data:
    """A table: columns as they came, and class numbers or the numbers to predict."""

    name: str
    task: str
    X: pd.DataFrame
    y: np.ndarray
    source: Source = field(repr=False)


class Split(NamedTuple):
    """Rows to learn from and rows to predict."""

    X_train: pd.DataFrame
    y_train: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray


def load(name: str, folder: Path = DATA) -> Data:
    """Return a table; its classes are numbered in their sorted order."""
    source = SOURCES[name]
    frame = pd.read_csv(folder / source.file, encoding="utf-8-sig", **source.options)
    X, y = frame.drop(columns=[source.target, *source.drop]), frame[source.target]
    if source.task == "classify":
        return Data(name, source.task, X, np.unique(y, return_inverse=True)[1], source)
    return Data(name, source.task, X, y.to_numpy(np.float64), source)


def split(data: Data, seed: int) -> Split:
    """Return rows drawn by ``seed``, of each class alike: four fifths to learn from, 6,000 at most."""
    training = min(MOST_TRAINING, int(SHARE * len(data.y)))
    test = min(MOST_TEST, len(data.y) - training)
    strata = data.y if data.task == "classify" else None
    rows = train_test_split(
        np.arange(len(data.y)), train_size=training, test_size=test, stratify=strata, random_state=seed
    )
    parts = [part for chosen in rows for part in (data.X.iloc[chosen].reset_index(drop=True), data.y[chosen])]
    return Split(*parts)


def typed(data: Data, parts: Split) -> Split:
    """Return the split with columns of float64 and of categories, as libraries without dates and texts take.

    The categories are those of the training rows; others become missing. A date becomes five numbers: the
    days since 1970, its year, month, day of the month and day of the week.
    """
    train, test = (_plain(X, data.source) for X in (parts.X_train, parts.X_test))
    for name in train.columns[train.dtypes != np.float64]:
        train[name] = train[name].astype("category")
        known = train[name].cat.categories
        test[name] = pd.Categorical(test[name].where(test[name].isin(known)), categories=known)
    return parts._replace(X_train=train, X_test=test)


def _plain(X: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Return columns of float64 and of texts."""
    columns: dict[str, Any] = {}
    for name, column in X.items():
        if name == source.date:
            dates = pd.to_datetime(column, format=source.date_format)
            columns[f"{name} days"] = (dates - pd.Timestamp(0)).dt.days
            columns |= {
                f"{name} {part}": getattr(dates.dt, part) for part in ("year", "month", "day", "day_of_week")
            }
        elif pd.api.types.is_bool_dtype(column):
            columns[str(name)] = column.astype(str)
        else:
            columns[str(name)] = column
    frame = pd.DataFrame(columns)
    return frame.astype(dict.fromkeys(frame.select_dtypes("number"), np.float64))
