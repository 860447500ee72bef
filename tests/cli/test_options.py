"""Errors at a command line name options, and not arguments of Python."""

from __future__ import annotations

import pytest

import fastdense as fd
from fastdense.cli.options import in_options
from tests.cli.test_cli import call, folder, mistake  # noqa: F401  (a fixture)

WORDS = {
    "use task='regress'; if": "use --task regress; if",
    "say task='classify' or 'regress'": "say --task classify or 'regress'",
    "leave it out: types={'a b': 'ignore'}": "leave it out: --type 'a b=ignore'",
    "types={'a': 'ignore', 'b': 'number'}": "--type a=ignore --type b=number",
    "types: there is no column 'a'": "--type: there is no column 'a'",
    "give one as name=": "give one as --name",
    "choose one (prefix=...)": "choose one (--prefix)",
    "write it with table=False": "write it without --table",
    "validation=0.5 and test=0.6 leave no rows": "--validation 0.5 and --test 0.6 leave no rows",
    "order=['fc1', 'fc2']": "--order fc1,fc2",
    "learning_rate must be above 0": "--learning-rate must be above 0",
}


@pytest.mark.parametrize("message", WORDS)
def test_arguments_become_options(message):
    assert in_options(message) == WORDS[message]


@pytest.mark.parametrize(
    "message",
    [
        "/data/seed=3/t.csv: there is no such file",
        "seed=3.csv: there is no such file",
        "there is no column 'task=1'",
        "the column 'x' is 'number', as job=clerk is",
        "my_task=1 is no number",
    ],
)
def test_what_only_looks_like_an_argument_stays(message):
    assert in_options(message) == message


MISTAKES = {
    "train {0}/flowers.csv --target name --batch-size 0": "--batch-size must be",
    "train {0}/flowers.csv --target name --learning-rate 0": "--learning-rate must be",
    "train {0}/flowers.csv --target name --epochs 0": "--epochs must be",
    "train {0}/flowers.csv --target name --dropout 1": "--dropout must be",
    "train {0}/flowers.csv --target name --seed -1": "--seed must be",
    "train {0}/flowers.csv --target name --validation 0.5 --test 0.5": "--validation 0.5 and --test 0.5",
    "train {0}/flowers.csv --target name --type shade=ignore": "--type: there is no column 'shade'",
    "train {0}/flowers.csv --target name --type name=number": "say --task classify",
    "export {0}/m.safetensors --to c --out {0}/2nd.c": "give one as --name",
    "export {0}/m.safetensors --to onnx --name net": "--name is for --to c",
    "explain {0}/plain.safetensors {0}/rows.csv --target length": "--target needs the loss",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_mistakes_name_options(folder, command):  # noqa: F811
    fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0).save(folder / "plain.safetensors")
    assert MISTAKES[command] in mistake(command.format(folder))


def test_the_functions_of_c_have_the_name_that_was_given(folder):  # noqa: F811
    assert call(f"export {folder}/m.safetensors --to c --out {folder}/2nd.c --name flower") == 0
    assert "flower_predict" in (folder / "2nd.h").read_text()


def test_weights_alone_name_the_command_that_reads_them(tmp_path, folder):  # noqa: F811
    (tmp_path / "m.pkl").write_bytes(b"x")
    assert "`fastdense import FILE --activation relu`" in mistake(f"info {tmp_path}/m.pkl")
