"""`fastdense search`: the recipe that does best on a table, found by cross-validation."""

from __future__ import annotations

import csv
import io
import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from fastdense.cli.arguments import Kinds, TablePath, Target, Task, command_line, named_types, seconds_of
from fastdense.cli.output import say, say_aside, say_lines
from fastdense.cli.reading import (
    DateOrder,
    Decimal,
    DefaultMissing,
    Header,
    MaxSize,
    Missing,
    read_to_train,
    stated,
)
from fastdense.cli.results import test_results
from fastdense.cli.rungs import watcher_for
from fastdense.cli.saving import check_outputs
from fastdense.core.columns import aligned
from fastdense.core.files import atomic_file
from fastdense.errors import FormatError
from fastdense.insight.figures import check_drawing, check_path
from fastdense.search.tables import TableSearch, search_table

__all__ = ["search"]

_SHOWN = 5  # candidates
_SHARED = {
    "table",
    "target",
    "task",
    "kinds",
    "header",
    "decimal",
    "missing",
    "default_missing",
    "date_order",
}
_SHARED |= {"max_size", "out"}


def search(
    context: typer.Context,
    table: TablePath,
    target: Target,
    candidates: Annotated[
        int, typer.Option(help="Recipes to try: the plain one, and others drawn at random.")
    ] = 200,
    cv: Annotated[int, typer.Option(help="Folds: each recipe is trained and scored on as many.")] = 5,
    time_limit: Annotated[
        str,
        typer.Option("--time", metavar="TIME", help="When to end with what is done, such as 90s, 5m or 1h."),
    ] = "5m",
    epochs: Annotated[
        int | None, typer.Option(help="The most times through the rows; those of `train` by default.")
    ] = None,
    score: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What decides: log-loss, accuracy or auc; rmse, mae or r2. log-loss or rmse by default.",
        ),
    ] = None,
    task: Annotated[Task, typer.Option(help="What to predict: labels or quantities.")] = Task.auto,
    test: Annotated[
        float, typer.Option(help="Share of rows held out that choose nothing: an honest test.")
    ] = 0.2,
    kinds: Kinds = None,
    header: Header = True,
    decimal: Decimal = None,
    missing: Missing = None,
    default_missing: DefaultMissing = True,
    date_order: DateOrder = None,
    max_size: MaxSize = "1G",
    seed: Annotated[
        int, typer.Option(help="Same seed, same table: the same search, if time suffices for it.")
    ] = 0,
    threads: Annotated[
        int | None, typer.Option(help="Threads that train; as many as there are cores by default.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where to save the best recipe's model, as `train` makes it.")
    ] = Path("model.safetensors"),
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Save a list of all candidates.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save a chart of all scores by epochs, as .png or .svg."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep scores there, and go on from what a stopped search left."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show the result only.")] = False,
) -> None:
    """Search for the network that predicts one column of a table best, and save it.

    Every candidate is trained and scored on the same folds. All get a ninth of the epochs, the better third
    of them a third, and the better third of those all.
    """
    begun, seconds = time.monotonic(), seconds_of(time_limit)
    _check_outputs(out, csv_file, picture, table)
    cells = stated(decimal, missing, default_missing, date_order)
    frame = read_to_train(table, header, cells, max_size, quiet)
    with watcher_for(quiet) as watcher:
        found = search_table(
            frame,
            target,
            task=task.value,
            types=named_types(kinds or []),
            cells=cells,
            candidates=candidates,
            cv=cv,
            epochs=epochs,
            score=score,
            test=test,
            seed=seed,
            max_time=max(seconds - (time.monotonic() - begun), 1e-3),
            n_threads=threads,
            directory=resume,
            watcher=watcher,
        )
    _say_best(found, seconds)
    _save_lists(found, csv_file, picture)
    again = _train_again(context, found)
    if found.model is None:
        say(f"To train the best one: {again}")
        say_aside("fastdense: interrupted: no model is saved")
        raise KeyboardInterrupt
    found.model.save(out)
    for line in test_results(found.model):
        say(line)
    say(f"Searched for {time.monotonic() - begun:.1f} s; the best one is trained and saved to {out}")
    say(f"To train it again: {again}")


def _check_outputs(out: Path, csv_file: Path | None, picture: Path | None, table: Path) -> None:
    if out.suffix != ".safetensors":
        raise FormatError(f"--out must end in .safetensors, got {out}")
    check_outputs({"--out": out, "--csv": csv_file, "--picture": picture}, table)
    if picture is not None:
        check_path(picture)
        check_drawing()


def _say_best(found: TableSearch, seconds: float) -> None:
    """Print the best candidates, and the plain recipe where it is not among them."""
    rows, ranked, name = found.rows(), len(found.ranking), found.measure.name
    if found.reason:
        why = f"{seconds:g} s have passed" if found.reason == "time" else "interrupted"
        say(f"{why}: {ranked:,} of {len(rows):,} candidates were scored on all folds")
    shown = [row for row in rows[:ranked] if row["rank"] <= _SHOWN or row["candidate"] == 0]
    headings = (
        "",
        "candidate",
        "hidden",
        "learning rate",
        "weight decay",
        "dropout",
        "batch size",
        "epochs",
        name,
    )
    lines = aligned([headings, *(_cells(row, name) for row in shown)])
    say_lines("\n".join(lines))


def _cells(row: dict[str, Any], name: str) -> tuple[str, ...]:
    candidate = f"{row['candidate']}" if row["candidate"] else "0, plain"
    settings = (f"{row[each]:.3g}" for each in ("learning_rate", "weight_decay", "dropout", "batch_size"))
    score = f"{row[f'mean {name}']:.4f} ± {row[f'std {name}']:.4f}"
    return (f"{row['rank']}.", candidate, row["hidden"], *settings, f"{row['epochs']:,}", score)


def _save_lists(found: TableSearch, csv_file: Path | None, picture: Path | None) -> None:
    if csv_file is not None:
        rows, text = found.rows(), io.StringIO(newline="")
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        with atomic_file(csv_file) as file:
            file.write(text.getvalue().encode())
        say(f"All candidates listed in {csv_file}")
    if picture is not None:
        found.plot(picture)
        say(f"Chart saved to {picture}")


def _train_again(context: typer.Context, found: TableSearch) -> str:
    """Return the command that trains the best candidate to the same bits."""
    best = found.recipes[found.best]
    options = {
        "--hidden": ",".join(map(str, best.hidden)),
        "--epochs": best.epochs,
        "--batch-size": best.batch_size,
        "--learning-rate": best.learning_rate,
        "--weight-decay": best.weight_decay,
        "--dropout": best.dropout,
        "--test": context.params["test"],
        "--seed": context.params["seed"],
    }
    words = [word for option, value in options.items() for word in (option, str(value))]
    return f"fastdense train {command_line(context, _SHARED)} {shlex.join(words)}"
