"""Estimators: networks that choose their own shape and training from the data."""
