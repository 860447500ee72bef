"""Files: written whole or not at all, and arrays beside a checked description in a safetensors container."""

from fastdense.files.atomic import atomic_file, atomic_files, check_folder
from fastdense.files.container import open_tensors, write_tensors
from fastdense.files.described import read, write
from fastdense.files.memory import ROOM, require_memory

__all__ = [
    "ROOM",
    "atomic_file",
    "atomic_files",
    "check_folder",
    "open_tensors",
    "read",
    "require_memory",
    "write",
    "write_tensors",
]
