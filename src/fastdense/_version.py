"""The version, in its one home: the build reads it from here too."""

__version__ = "0.1.0"
