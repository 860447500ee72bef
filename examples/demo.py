"""The main job, from a table to predictions, by the installed command line: `make demo` runs this."""

import csv
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path("demo")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write_tables()
    run("train digits.csv --target digit --validation 0.2 --out digits.safetensors")
    run("evaluate digits.safetensors never_seen.csv")
    run("predict digits.safetensors rows.csv --out predictions.csv")
    show(FOLDER / "predictions.csv", lines=4)
    run("info")
    run("ladder --plot ladder.png")
    print(f"\nThe tables, the model, its predictions and the chart are in {FOLDER.resolve()}")


def write_tables() -> None:
    """Write the 1797 handwritten digits, 8x8 pixels each, as tables: 80% to learn from, the rest held."""
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(digits))
    names = [f"pixel_{i}" for i in range(pixels.shape[1])]
    table = np.column_stack([pixels, digits]).astype(int)[order]
    cut = len(table) * 4 // 5
    write(FOLDER / "digits.csv", [*names, "digit"], table[:cut])
    write(FOLDER / "never_seen.csv", [*names, "digit"], table[cut:])
    write(FOLDER / "rows.csv", names, table[cut:, :-1])


def write(path: Path, names: list[str], rows: np.ndarray) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows.tolist())


def run(command: str) -> None:
    """Show a command as a user would type it, and run it in the demo's folder."""
    print(f"\n$ fastdense {command}", flush=True)
    program = Path(sysconfig.get_path("scripts")) / "fastdense"
    result = subprocess.run([program, *shlex.split(command)], cwd=FOLDER, check=False)
    if result.returncode:
        sys.exit(result.returncode)


def show(path: Path, lines: int) -> None:
    """Show the head of a file, long lines cut."""
    print(f"\n$ head -{lines} {path.name}")
    for line in path.read_text().splitlines()[:lines]:
        print(line if len(line) <= 100 else line[:97] + "...")


if __name__ == "__main__":
    main()
