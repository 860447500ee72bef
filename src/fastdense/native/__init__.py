"""The Python face of the compiled engine: what this processor offers, activations and random masks."""

from __future__ import annotations

from fastdense.native.activations import activate, activate_backward
from fastdense.native.dense import dense
from fastdense.native.processor import (
    best_isa,
    instruction_sets,
    isa_in_use,
    measure_bandwidth,
    measure_peak,
    measure_round_trip,
    runnable_isas,
    usable_cores,
)
from fastdense.native.random import dropout_mask, philox4x32
from fastdense.native.threads import at_most, get_threads, set_threads

__all__ = [
    "activate",
    "activate_backward",
    "at_most",
    "best_isa",
    "dense",
    "dropout_mask",
    "get_threads",
    "instruction_sets",
    "isa_in_use",
    "measure_bandwidth",
    "measure_peak",
    "measure_round_trip",
    "philox4x32",
    "runnable_isas",
    "set_threads",
    "usable_cores",
]
