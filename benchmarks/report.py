"""The results as a table and as a chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

OURS = "fastdense"


def text(result: dict[str, Any]) -> str:
    """Return the table of one round."""
    cores = "one core" if result["cores"] == 1 else f"{result['cores']} cores"
    peak = f"measured peak {result['peak']:.0f} GFLOP/s"
    lines = [f"{cores}, {result['isa']} kernels, {peak}; microseconds a call or step, best of 5"]
    if result["cores"] > 1:
        trips = " and ".join(f"{about['round_trip'] * 1e9:.0f}" for about in result["machine"])
        lines.append(f"a message to another core and back, before and after: {trips} nanoseconds")
    for kind in ("predict", "train"):
        names = list(dict.fromkeys(name for cell in result[kind] for name in cell["seconds"]))
        head = [kind, "rows", *names, "of peak", "to the best peer"]
        rows = [
            [cell["network"], f"{cell['rows']:,}", *numbers(cell, names, result["peak"])]
            for cell in result[kind]
        ]
        lines += ["", *table([head, *rows])]
    return "\n".join([*lines, ""])


def numbers(cell: dict[str, Any], names: list[str], peak: float) -> list[str]:
    times = cell["seconds"]
    share = cell["flops"] / times[OURS] / 1e9 / peak
    shown = [f"{times[name] * 1e6:,.1f}" if name in times else "-" for name in names]
    return [*shown, f"{share:.0%}", f"{ratio(cell):.2f}x"]


def ratio(cell: dict[str, Any]) -> float:
    """Return how many times longer the best peer takes."""
    times = cell["seconds"]
    return min(value for name, value in times.items() if name != OURS) / times[OURS]


def table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for name, *cells in rows:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *padded]))
    return lines


def chart(results: list[dict[str, Any]], path: Path) -> None:
    """Draw how many times faster than the best peer every cell is."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2 * len(results)), layout="constrained")
    axes = figure.subplots(len(results), 2, squeeze=False)
    for row, result in zip(axes, results, strict=True):
        for axis, kind in zip(row, ("predict", "train"), strict=True):
            panel(axis, result, kind)
    figure.savefig(path, dpi=130)


def panel(axis: Any, result: dict[str, Any], kind: str) -> None:
    networks = list(dict.fromkeys(cell["network"] for cell in result[kind]))
    for network in networks:
        cells = [cell for cell in result[kind] if cell["network"] == network]
        axis.plot(
            [cell["rows"] for cell in cells], [ratio(cell) for cell in cells], "o-", label=network, ms=4
        )
    axis.axhline(1.0, color="black", lw=1, ls="--")
    axis.set(
        xscale="log", yscale="log", xlabel="rows" if kind == "predict" else "batch", ylabel="times faster"
    )
    cores = "one core" if result["cores"] == 1 else f"{result['cores']} cores"
    axis.set_title(f"{kind}, {cores}: against the best peer")
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=7)
