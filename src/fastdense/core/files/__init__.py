"""Files: written whole or not at all, and arrays beside a checked description in a safetensors container."""

from fastdense.core.files.atomic import atomic_file, atomic_files, check_place
from fastdense.core.files.container import open_tensors, write_tensors
from fastdense.core.files.described import read, write
from fastdense.core.files.memory import ROOM, require_memory

__all__ = [
    "ROOM",
    "atomic_file",
    "atomic_files",
    "check_place",
    "open_tensors",
    "read",
    "require_memory",
    "write",
    "write_tensors",
]
