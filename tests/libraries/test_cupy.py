"""The tests of engines over CuPy, run as it is where nothing else is asked for."""

from tests.over_engines import engines_of

ENGINES = engines_of("cupy")  # first: what stands below it is not there where the module is skipped

from tests.test_engines import *  # noqa: E402
from tests.test_protocol import *  # noqa: E402
