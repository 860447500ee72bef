"""The fuzzer itself: it damages files in every way, and lets no bad reader pass."""

import sys

import pytest

from fastdense.errors import FormatError
from tests.fuzz import MUTATIONS, fuzz, limited_memory, mutations

SAMPLES = {"text": b'{"size": 12, "offset": 345}' * 20, "one": b"\x01"}


def read_strictly(path):
    if path.read_bytes() not in SAMPLES.values():
        raise FormatError("this is not one of the samples")


def test_the_same_seed_makes_the_same_files():
    first, again, other = (list(mutations(SAMPLES, 200, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_mutation_damages_the_file():
    for kind in MUTATIONS:
        changed = [data for what, data in mutations(SAMPLES, 3000, 0) if what.endswith(f"text, {kind}")]
        assert len(changed) > 50
        assert sum(data != SAMPLES["text"] for data in changed) > len(changed) / 2


def test_a_good_reader_passes(tmp_path):
    outcomes = fuzz(read_strictly, SAMPLES, tmp_path / "file", 500)
    assert sum(outcomes.values()) >= 500
    assert outcomes["refused"] > 400


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyError("size"), FormatError(""), AssertionError()])
def test_a_bad_reader_does_not(tmp_path, error):
    def read(path):
        if path.read_bytes() != SAMPLES["one"]:
            raise error

    with pytest.raises(AssertionError, match="mutation 0 of 0: "):
        fuzz(read, SAMPLES, tmp_path / "file", 10)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_a_reader_that_believes_a_size_does_not(tmp_path):
    with pytest.raises(AssertionError, match="MemoryError"):
        fuzz(lambda path: bytearray(2**33), SAMPLES, tmp_path / "file", 1)
    with limited_memory(2**33):
        assert len(bytearray(2**20)) == 2**20
