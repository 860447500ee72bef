"""Trials on real tables; they skip where the files are not at hand."""

from pathlib import Path

import numpy as np
import pytest

from fastdense.exchange.tables import read_table
from fastdense.tables import Table

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real tables are not at hand")


def kinds(table):
    return {column.name: column.kind for column in table.columns}


def check_features(table, frame):
    features = table.features(frame)
    assert features.shape == (frame.height, len(table.feature_names))
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 3
    return features


def test_adult():
    train = read_table(DATA / "adult_train.csv", header=False)
    table = Table.learn(train, "column_15")
    assert train.shape == (32561, 15)
    assert table.classes == ["<=50K", ">50K"]
    found = list(kinds(table).values())
    assert [k for k, kind in enumerate(found) if kind == "number"] == [0, 2, 4, 10, 11, 12]
    assert found.count("category") == 8
    assert [c.name for c in table.columns if c.kind == "category" and c.missing] == [
        "column_2",
        "column_7",
        "column_14",
    ]
    check_features(table, train)
    assert np.bincount(table.targets(train)).tolist() == [24720, 7841]
    test = read_table(DATA / "adult_test.csv", header=False)
    check_features(table, test)


def test_telco_churn():
    frame = read_table(DATA / "telco_churn.csv")
    table = Table.learn(frame, "Churn")
    assert table.classes == ["No", "Yes"]
    found = kinds(table)
    assert found.pop("customerID") == "ignored"
    numbers = {name for name, kind in found.items() if kind == "number"}
    assert numbers == {"SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"}
    assert "TotalCharges (missing)" in table.feature_names
    features = check_features(table, frame)
    assert features[:, table.feature_names.index("TotalCharges (missing)")].sum() == 11


def test_california_housing():
    frame = read_table(DATA / "california_housing.csv")
    table = Table.learn(frame, "median_house_value")
    assert table.task == "regress"
    assert [name for name, kind in kinds(table).items() if kind != "number"] == ["ocean_proximity"]
    features = check_features(table, frame)
    assert features[:, table.feature_names.index("total_bedrooms (missing)")].sum() == 207
    values = table.unscale(table.targets(frame))[:, 0]
    np.testing.assert_allclose(values, frame["median_house_value"].to_numpy(), rtol=1e-5)


def test_magic_and_mnist():
    assert Table.learn(read_table(DATA / "magic04.csv"), "10").classes == ["g", "h"]
    digits = read_table(DATA / "mnist_test_10k.csv.gz", header=False)
    table = Table.learn(digits, "column_785")
    assert table.classes == list(range(10))
    assert len(table.feature_names) == 784
