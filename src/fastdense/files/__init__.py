"""Files: written whole or not at all, and arrays beside a checked description in a safetensors container."""

from fastdense.files.atomic import atomic_file, atomic_files, check_folder
from fastdense.files.container import open_tensors, write_tensors
from fastdense.files.described import read, write

__all__ = [
    "atomic_file",
    "atomic_files",
    "check_folder",
    "open_tensors",
    "read",
    "write",
    "write_tensors",
]
