"""The tests of engines over TensorFlow, run as it is where nothing else is asked for."""

from tests.over_engines import engines_of
from tests.test_engines import *
from tests.test_protocol import *

ENGINES = engines_of("tensorflow")
