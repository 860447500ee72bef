"""Keras' names that are not here, with what to do instead."""

from __future__ import annotations

from typing import Any

__all__ = ["Absent", "advice", "stand_in"]

# What to do, and the names, in Keras 3, that it is said of; a star stands for any ending.
_TABLE = {
    "rows have no pixels here: pass X.reshape(len(X), -1) to dense layers, or use Keras": """
        Conv1D* Conv2D* Conv3D* Convolution* Separable* Depthwise* MaxPool* AveragePool*
        AvgPool* Global* Adaptive* UpSampling* ZeroPadding* Cropping* CenterCrop Resizing
        Random* RandAugment AugMix AutoContrast CutMix MixUp Equalization Solarization
        ContrastLimited* MaxNumBoundingBoxes""",
    "rows are flat here: pass X.reshape(len(X), -1) and declare Input((n_in,))": """
        Flatten Reshape Permute RepeatVector""",
    "rows have no time here: make features of the last steps, or use Keras": """
        LSTM* GRU* RNN SimpleRNN* Bidirectional StackedRNNCells TimeDistributed ConvLSTM*
        Masking Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
        MelSpectrogram STFT* CTC""",
    "words and categories become columns before the network: see fastdense.tables": """
        Embedding ReversibleEmbedding TextVectorization StringLookup IntegerLookup
        CategoryEncoding Hashing HashedCrossing Discretization""",
    "a model is a Sequential of the layers here: use Keras for branches and other layers": """
        Add Average Concatenate Dot Maximum Minimum Multiply Subtract Model Functional
        EinsumDense Pipeline Wrapper InputSpec FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper""",
    "declare Input((n_in,)) as the first layer": "InputLayer",
    "train with Normalization of the inputs; a file that has it is read, folded into others": """
        BatchNormalization""",
    "train with Normalization of the inputs": """
        GroupNormalization UnitNormalization RMSNormalization
        SpectralNormalization""",
    "use Dropout; a file that has it is read, since it is for training only": """
        GaussianNoise GaussianDropout AlphaDropout SpatialDropout* ActivityRegularization""",
    "transform X before fit and predict, or use Activation, Rescaling and Normalization": "Lambda",
    'use Activation("linear"); as an initializer, give numpy.eye(n) to layer.set_weights': "Identity*",
    "use CSVLogger, or model.report() after fit": "TensorBoard",
    "fit shows its progress with verbose=1": "ProgbarLogger",
    "use LambdaCallback": "RemoteMonitor",
    "use EarlyStopping with restore_best_weights=True": "SwapEMAWeights",
    "use ModelCheckpoint or BackupAndRestore": "OrbaxCheckpoint",
    "use Adam or AdamW": """
        Nadam Adamax Adadelta Adafactor Lamb Muon ScheduleFreeAdamW MultiOptimizer
        OptimizerMap""",
    "use SGD, and L1 as kernel_regularizer": "Ftrl",
    "no loss need be scaled here: give compile the optimizer itself": "LossScaleOptimizer",
    "use BinaryCrossentropy or CategoricalCrossentropy": "Hinge SquaredHinge CategoricalHinge",
    "use the plain cross-entropy with class_weight": "BinaryFocal* CategoricalFocal*",
    "use CategoricalCrossentropy, with label_smoothing": "CategoricalGeneralized*",
    "train with CategoricalCrossentropy, whose gradient is the same": "KLDivergence",
    "train with Huber": "LogCosh",
    "train with MeanAbsoluteError and sample_weight=100 / abs(y)": "MeanAbsolutePercentageError",
    "train with MeanSquaredError on numpy.log1p(y)": "MeanSquaredLogarithmicError",
    "train with MeanSquaredError on rows of length 1": "CosineSimilarity",
    "use Keras": "Circle Dice Tversky",
    "give metrics a function f(y_true, y_pred) of NumPy arrays": """
        IoU BinaryIoU MeanIoU OneHotIoU OneHotMeanIoU Mean Sum MeanMetricWrapper
        PearsonCorrelation ConcordanceCorrelation""",
    "use Precision, Recall or AUC(curve='PR')": "PrecisionAtRecall RecallAtPrecision",
    "use Recall and AUC": "SensitivityAtSpecificity SpecificityAtSensitivity",
    "use GlorotUniform or layer.set_weights; as a regularizer, use L2": "Orthogonal*",
    "weights have no constraints: use kernel_regularizer": "constraints MaxNorm MinMaxNorm NonNeg UnitNorm",
    "metrics' functions take NumPy arrays: use numpy": "ops",
    "the engine is chosen by Sequential's argument engine, or FASTDENSE_ENGINE": "backend",
}
_ADVICE = {name.lower(): text for text, names in _TABLE.items() for name in names.split()}


class Absent:
    """Stands for a class of Keras' that is not here: it can be imported, and says why it cannot be made."""

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """Raise NotImplementedError."""
        raise NotImplementedError(f"fastdense has no {cls.__name__}: {advice(cls.__name__)}")


def advice(name: str) -> str | None:
    """Return what to do instead of something of Keras', by its name in any case; None for unknown names.

    Examples
    --------
    >>> advice("Nadam"), advice("squared_hinge"), advice("Dance")
    ('use Adam or AdamW', 'use BinaryCrossentropy or CategoricalCrossentropy', None)
    """
    plain = name.replace("_", "").lower()
    starts = (text for key, text in _ADVICE.items() if key[-1] == "*" and plain.startswith(key[:-1]))
    return _ADVICE.get(plain) or next(starts, None)


def stand_in(module: str, name: str) -> type[Absent]:
    """Return what a module's ``__getattr__`` returns for a class of Keras' that is not here.

    Raises
    ------
    AttributeError
        Keras has none of that name either.
    """
    if not name[:1].isupper() or advice(name) is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return type(name, (Absent,), {"__doc__": f"Not here: {advice(name)}.", "__module__": module})
