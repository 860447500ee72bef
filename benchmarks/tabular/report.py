"""The summary as a table and as a chart, and one method against the references table by table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from report import table

from .summary import REFERENCES, geometric_mean, nested, ratios


def shown(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)


def text(rows: list[dict[str, Any]]) -> str:
    """Return a table of all methods for each reference."""
    parts = []
    for reference in REFERENCES:
        head = [f"relative to {reference}", "results", "error", "lower", "log loss", "lower", "fit", "fit s"]
        lines = [[*head, "worse than frequencies"]]
        for row in rows:
            of = row["against"][reference]
            lines.append(
                [
                    row["method"],
                    str(row["results"]),
                    shown(of["error"]),
                    f"{of['wins']} of {of['tables']}",
                    shown(of["log_loss"]),
                    f"{of['log_loss_wins']} of {of['classified']}",
                    shown(of["fit_seconds"], ".2f") + ("" if of["timed_apart"] else "*"),
                    shown(row["fit_seconds"], ".2f") + ("*" if row["busy"] else ""),
                    str(row["worse_than_frequencies"]),
                ]
            )
        parts.append("\n".join(table(lines)))
    note = "geometric means over tables; * from runs beside others: --timing measures times apart"
    return "\n\n".join([*parts, note]) + "\n"


def comparison(results: list[dict[str, Any]], method: str) -> str:
    """Return a method's ratios to each reference, table by table."""
    kept = nested(results)
    columns = {
        f"{key.replace('_', ' ')} / {reference}": ratios(kept, method, reference, key)
        for reference in REFERENCES
        for key in ("error", "log_loss")
    }
    names = sorted(set().union(*columns.values()))
    lines = [[method, *columns]]
    lines += [[name, *(shown(column.get(name)) for column in columns.values())] for name in names]
    lines.append(["geometric mean", *(shown(geometric_mean(column.values())) for column in columns.values())])
    return "\n".join(table(lines))


def chart(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw each method's error against its time, both relative to the first reference's."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    most = max((row["tables"] for row in rows), default=0)
    for row in rows:
        of = row["against"][REFERENCES[0]]
        if of["error"] is not None:
            name = row["method"] if of["tables"] == most else f"{row['method']} ({of['tables']} tables)"
            axis.plot(of["fit_seconds"], of["error"], "o", ms=6)
            axis.annotate(name, (of["fit_seconds"], of["error"]), (5, 4), textcoords="offset points")
    axis.axhline(1.0, color="black", lw=1, ls="--")
    axis.set(xscale="log", xlabel="processor time of fit, CatBoost = 1", ylabel="error, CatBoost = 1")
    axis.margins(x=0.2)
    axis.grid(alpha=0.3, which="both")
    figure.savefig(path, dpi=130)
