"""The tests of engines over TensorFlow, run as it is where nothing else is asked for."""

from tests.over_engines import engines_of, part_of_cases

ENGINES = engines_of("tensorflow")  # first: what stands below it is not there where the module is skipped
CASES = part_of_cases(3)

from tests.test_engines import *  # noqa: E402
from tests.test_protocol import *  # noqa: E402
