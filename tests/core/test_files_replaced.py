"""A save replaces the old file whole; one that fails leaves the old file alone, and nothing beside it."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from fastdense.core import files


@pytest.fixture
def path(tmp_path):
    """A file of an earlier save."""
    files.write(tmp_path / "file.safetensors", {"old": True}, {"a": np.arange(6.0)})
    return tmp_path / "file.safetensors"


def leftovers(path):
    return [other.name for other in path.parent.iterdir() if other != path]


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder to save in does not exist: '.*missing'"):
        files.write(tmp_path / "missing" / "a.safetensors", {}, {})


def test_a_folder_that_is_a_file(path):
    before = path.read_bytes()
    with pytest.raises(OSError, match="the folder to save in does not exist"):
        files.write(path / "a.safetensors", {}, {})
    assert path.read_bytes() == before


def test_a_folder_in_the_files_place(tmp_path):
    (tmp_path / "a.safetensors").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write(tmp_path / "a.safetensors", {}, {})
    assert leftovers(tmp_path / "a.safetensors") == []


def test_a_name_that_is_too_long(path):
    with pytest.raises(OSError, match="name too long"):
        files.write(path.with_name("a" * 256), {}, {})
    assert leftovers(path) == []


@pytest.mark.parametrize("name", ["a" * 255, "é" * 120 + "a" * 15, "é" * 127 + "a", "a" * 239 + "é"])
def test_the_longest_names(tmp_path, name):
    for value in (1, 2):
        files.write(tmp_path / name, {"a": value}, {})
    assert files.read(tmp_path / name)[0] == {"a": 2}
    assert leftovers(tmp_path / name) == []


@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_save_that_fails_late_leaves_the_old_file(path, monkeypatch, call, error):
    before = path.read_bytes()

    def fail(*_):
        raise error

    monkeypatch.setattr(call, fail)
    with pytest.raises(type(error)):
        files.write(path, {"new": True}, {})
    assert path.read_bytes() == before
    assert leftovers(path) == []


def test_a_caller_that_is_interrupted_leaves_the_old_file(path):
    before = path.read_bytes()

    def interrupted():
        with files.atomic_file(path) as file:
            file.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert leftovers(path) == []


def test_a_full_disk_leaves_the_old_file(path):
    """A limit on the size of files stands for the full disk: the write itself fails, after part of it."""
    before = path.read_bytes()
    program = """
import errno, resource, signal, sys
import numpy as np
from fastdense.core import files

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    files.write(sys.argv[1], {}, {"a": np.ones(100_000)})
except OSError as error:
    sys.exit(error.errno)
"""
    result = subprocess.run([sys.executable, "-B", "-c", program, path], check=False)
    assert result.returncode == errno.EFBIG
    assert path.read_bytes() == before
    assert leftovers(path) == []


def test_the_permissions_of_the_old_file_stay(path):
    path.chmod(0o640)
    files.write(path, {}, {})
    assert path.stat().st_mode & 0o777 == 0o640


def test_nobody_else_may_read_a_private_file_while_it_is_written(path):
    path.chmod(0o600)
    with files.atomic_file(path) as file:
        file.write(b"secret")
        (part,) = (path.parent / name for name in leftovers(path))
        assert part.stat().st_mode & 0o777 == 0o600


def test_a_new_file_has_the_permissions_of_new_files(path, tmp_path):
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_stays_and_leads_to_the_new_file(path, tmp_path):
    link = tmp_path / "folder" / "link.safetensors"
    link.parent.mkdir()
    link.symlink_to(path)
    files.write(link, {"new": True}, {})
    assert link.is_symlink()
    assert files.read(path)[0] == {"new": True}


def test_what_is_not_a_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="something that is not a file is in its place"):
        files.write(tmp_path / "pipe", {}, {})
    assert leftovers(tmp_path / "pipe") == []


KILLED = """
import os, signal, sys
from fastdense.core import files

with files.atomic_file(sys.argv[1]) as file:
    file.write(b"half of it")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_kill_left_is_removed_by_the_next_save(path):
    before = path.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert path.read_bytes() == before
    (left,) = leftovers(path)
    assert left.endswith(".part")
    os.mkfifo(path.with_name(f".{path.name}.00000000.part"))  # is not waited for
    path.with_name(f".{path.name}.part").touch()
    files.write(path, {"new": True}, {})
    assert sorted(leftovers(path)) == [f".{path.name}.00000000.part", f".{path.name}.part"]


def test_what_another_process_is_writing_stays(path):
    with files.atomic_file(path) as file:
        file.write(b"the first")
        files.write(path, {"new": True}, {})
        assert len(leftovers(path)) == 1
    assert path.read_bytes() == b"the first"


def test_a_lack_of_memory_is_a_memory_error_and_leaves_the_old_file(path):
    """Every limit between too little and enough gives the same answer, and no other kind of end."""
    before = path.read_bytes()
    program = """
import sys
import numpy as np
from fastdense.core import files
from tests.fuzz import limited_memory

array, path = np.ones(4_000_000), sys.argv[1]
strided, big = np.ones(8_000_000)[::2], path + ".big"
files.write(big, {}, {"a": array})
outcomes = set()
for limit in range(0, 64 * 2**20, 4 * 2**20):
    for call in (lambda: files.write(path, {}, {"a": strided}), lambda: files.read(big)):
        with limited_memory(limit):
            try:
                call()
                outcomes.add("done")
            except MemoryError:
                outcomes.add("MemoryError")
                files.write(path, {"still": "works"}, {})
print(sorted(outcomes))
"""
    result = subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True)
    assert result.stdout == "['MemoryError', 'done']\n"
    assert path.read_bytes() != before


def test_a_reader_of_the_old_file_goes_on_reading_it(path):
    before = path.read_bytes()
    with path.open("rb") as file:
        files.write(path, {}, {})
        assert file.read() == before
    assert files.read(path) == ({}, {})
