"""Sixteen tables learned by fastdense and by its peers: their errors, log losses and processor time.

    python benchmarks/tables.py [--method NAME ...] [--table NAME ...] [--splits N] [--data FOLDER]
    python benchmarks/tables.py --timing               measure the times again, of three tables
    python benchmarks/tables.py --ours KEY=VALUE ...   try settings of fastdense's learner against the peers
    python benchmarks/tables.py --summary              measure nothing, only report

Every result is kept in a file of its own in ``OUT/tables``, so that only what is missing is measured (and all
with --again). Everything runs on one thread. A method whose library is not installed is left out.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from run import HERE, THREADS
from tabular.cache import Cache
from tabular.data import DATA, SOURCES, load
from tabular.measure import measure
from tabular.methods import METHODS, Method, installed, learned
from tabular.report import chart, comparison, text
from tabular.summary import summarize

TIMED = ("california_housing", "hr_analytics", "students")


def main() -> None:
    options = arguments()
    if not options.data.is_dir():
        raise SystemExit(f"skipped: the tables are not at hand; {options.data} is not a folder (see --data)")
    if any(os.environ.get(name) != "1" for name in THREADS):
        raise SystemExit(on_one_thread())
    warnings.simplefilter("ignore")
    named = tried(options.ours) if options.ours else {name: METHODS[name] for name in options.method}
    options.out.mkdir(parents=True, exist_ok=True)
    cache = Cache(options.out / "tables")
    if options.timing:
        time_in_turn(named, cache, options)
    elif not options.summary:
        measure_missing(named, cache, options)
    results = cache.results()
    if options.ours:
        print("\n\n".join(comparison(results, name) for name in named))
        return
    found = summarize(results, cache.timings())
    (options.out / "tables.json").write_text(json.dumps(found, indent=1))
    (options.out / "tables.txt").write_text(text(found))
    print(text(found))
    chart(found, options.out / "tables.png")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = [name for name in METHODS if installed(name)]
    parser.add_argument("--method", nargs="+", choices=METHODS, default=here, metavar="NAME")
    parser.add_argument("--table", nargs="+", choices=SOURCES, metavar="NAME", help="all without it")
    parser.add_argument("--splits", type=int, default=3, help="how many of them")
    parser.add_argument("--again", action="store_true", help="measure what is kept, too")
    parser.add_argument("--summary", action="store_true", help="measure nothing, only report")
    parser.add_argument("--timing", action="store_true", help="measure times, of three tables")
    parser.add_argument(
        "--ours", nargs="+", metavar="KEY=VALUE", help="settings to try, as n_models=4 or recipe.epochs=64"
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    return parser.parse_args()


def on_one_thread() -> int:
    """Run this program again, every library limited to a thread before it is imported."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    return subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode


def tried(given: list[str]) -> dict[str, Method]:
    """Return our learner with the settings given as ``KEY=VALUE``."""
    parameters = {}
    for word in given:
        key, _, value = word.partition("=")
        try:
            parameters[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parameters[key] = value
    return {f"fastdense {' '.join(given)}": Method(partial(learned, parameters), "fastdense", raw=True)}


def measure_missing(named: dict[str, Method], cache: Cache, options: argparse.Namespace) -> None:
    """Measure what is not in the cache: all methods and tables of a split before the next split."""
    for seed in range(options.splits):
        for name, method in named.items():
            for table in options.table or SOURCES:
                if options.again or not cache.has(name, table, seed):
                    found = measure(name, method, load(table, options.data), seed)
                    cache.keep(found)
                    progress(found)


def time_in_turn(named: dict[str, Method], cache: Cache, options: argparse.Namespace) -> None:
    """Measure the times of the first split, of all methods in turn; the better of two rounds counts."""
    for table in options.table or TIMED:
        data = load(table, options.data)
        rounds = [{name: measure(name, method, data, 0) for name, method in named.items()} for _ in range(2)]
        for name in named:
            found = min((one[name] for one in rounds), key=lambda one: one["fit_seconds"])
            cache.keep_timing(found)
            progress(found)


def progress(found: dict[str, Any]) -> None:
    scores = ", ".join(f"{key} {found[key]:.4g}" for key in ("error", "log_loss", "auc") if key in found)
    what = f"{found['method']}, {found['table']}, split {found['split']}"
    print(f"{what}: {scores}, {found['fit_seconds']:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
