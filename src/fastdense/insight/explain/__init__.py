"""One row through a network, and the gradient of its loss back: every number, written out."""

from fastdense.insight.explain.passes import Explanation, Step, explain

__all__ = ["Explanation", "Step", "explain"]
