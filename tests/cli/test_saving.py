"""What a command writes never takes the place of what it reads, whatever the names of the file."""

from __future__ import annotations

import os

import pytest

import fastdense as fd
from fastdense.cli.saving import check_outputs
from tests.cli.test_cli import call, folder, mistake  # noqa: F401  (a fixture)

LINKS = {"itself": None, "a symbolic link": "symlink_to", "a hard link": "hardlink_to"}
WRITING = {
    "predict {0}/m.safetensors {0}/rows.csv --out {1}": ["rows.csv", "m.safetensors"],
    "train {0}/flowers.csv --target name --out {1}": ["flowers.csv"],
    "train {0}/flowers.csv --target name --out {0}/new.safetensors --report {1}": ["flowers.csv"],
    "explain {0}/m.safetensors {0}/rows.csv --html {1}": ["m.safetensors", "rows.csv"],
    "profile {0}/m.safetensors {0}/rows.csv --json {1}": ["m.safetensors", "rows.csv"],
    "export {0}/m.safetensors --to torch --out {1}": ["m.safetensors"],
    "import {0}/m.safetensors --out {1}": ["m.safetensors"],
}


@pytest.fixture
def place(folder, tmp_path):  # noqa: F811
    """Return a folder with copies of the model and its tables."""
    for name in ("m.safetensors", "rows.csv", "flowers.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("command", WRITING)
def test_a_file_that_is_read_is_never_written(place, command, link):
    for k, name in enumerate(WRITING[command]):
        path, before = place / name, (place / name).read_bytes()
        if LINKS[link]:
            ending = ".safetensors" if "train" in command and "--out {1}" in command else path.suffix
            path = place / f"link{k}{ending}"
            getattr(path, LINKS[link])(place / name)
        elif "--out {1}" in command and "train" in command:
            continue  # whose name does not end in .safetensors
        line = mistake(command.format(place, path))
        assert f"is {place / name}, which" in line
        assert (place / name).read_bytes() == before


def test_a_table_is_not_replaced_by_its_predictions(place, monkeypatch):
    monkeypatch.chdir(place)
    for command in (f"{place}/m.safetensors ./rows.csv", f"m.safetensors {place}/rows.csv"):
        assert "rows.csv, which the command reads" in mistake(f"predict {command} --out rows.csv")


def test_two_files_to_write_are_two(place):
    (place / "r.html").symlink_to(place / "new.safetensors")
    train = f"train {place}/flowers.csv --target name --out {place}/new.safetensors --report {place}/r.html"
    assert "new.safetensors, which --out writes" in mistake(train)


def test_another_file_is_replaced(place):
    (place / "p.csv").write_text("old")
    assert call(f"predict {place}/m.safetensors {place}/rows.csv --out {place}/p.csv") == 0
    assert len(fd.read_table(place / "p.csv")) == 120


def test_a_place_that_cannot_be_written_is_found_at_once(place):
    (place / "d.safetensors").mkdir()
    train = f"train {place}/flowers.csv --target name --epochs 100000000 --out"
    assert "a folder is in the file's place" in mistake(f"{train} {place}/d.safetensors")
    (place / "lost.safetensors").symlink_to(place / "none" / "m.safetensors")
    assert "folder to save in does not exist" in mistake(f"{train} {place}/lost.safetensors")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions of a folder")
def test_a_folder_that_must_not_be_written_in(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="no permission"):
        check_outputs({"--out": tmp_path / "m.safetensors"})
