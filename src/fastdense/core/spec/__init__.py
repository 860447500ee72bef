"""What an engine is given: a network, its loss and its optimizer, as plain frozen data.

Every engine compiles from these and nothing else, so an engine never sees a layer object, a callback or
an estimator. Every room may import this one.

Parameters travel beside the specs, as one tuple of arrays per layer, in the order in which the layer's spec
declares them (``DenseSpec.parameters``). "The trained parameters" are those declared as trained, in the order
of the layers.
"""

from fastdense.core.spec import layers, losses, network, optimizers, parts
from fastdense.core.spec.layers import *  # noqa: F403
from fastdense.core.spec.losses import *  # noqa: F403
from fastdense.core.spec.network import *  # noqa: F403
from fastdense.core.spec.optimizers import *  # noqa: F403
from fastdense.core.spec.parts import *  # noqa: F403

__all__ = layers.__all__ + losses.__all__ + network.__all__ + optimizers.__all__ + parts.__all__
