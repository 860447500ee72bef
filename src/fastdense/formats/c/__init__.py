"""A network as plain C99: a header and a source file, for anything with a C or C++ compiler."""

from fastdense.formats.c.write import write_c

__all__ = ["write_c"]
