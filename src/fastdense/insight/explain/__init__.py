"""One row through a network, and the gradient of its loss back: every number, written out."""

from fastdense.insight.explain.passes import Explanation, explain
from fastdense.insight.explain.steps import Passes, Step

__all__ = ["Explanation", "Passes", "Step", "explain"]
