"""The table for people and `results.json` for later comparison."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.measure import Figure

RESULTS = Path(__file__).parent / "results.json"
PACKAGES = ("Django", "psycopg", "confluent-kafka", "fastavro")
SERVERS = {"postgres": "18.4", "kafka": "4.4.0", "registry": "3.3.3"}
REACHED = {True: "yes", False: "NO", None: ""}
HEADINGS = ("measured", "median", "lowest", "highest", "unit", "aim", "reached")


def table(figures: Sequence[Figure]) -> str:
    """The figures, a line each, columns aligned."""
    rows = [HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(_line(row, widths) for row in rows)


def number(value: float) -> str:
    """A number for people: enough digits, not more."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write(found: Mapping[str, Sequence[Figure]], path: Path = RESULTS) -> None:
    """Write the figures of each benchmark with its date and the facts about its machine; the others keep theirs."""
    measured = json.loads(path.read_text()) if path.exists() else {}
    facts = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    for name, figures in found.items():
        measured[name] = facts | {"figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(measured, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on. No names of machines or people."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package.lower(): version(package) for package in PACKAGES},
        **SERVERS,
    }


def _row(figure: Figure) -> tuple[str, ...]:
    values = (figure.value, min(figure.runs), max(figure.runs))
    aim = str(figure.aim) if figure.aim else ""
    return (figure.name, *map(number, values), figure.unit, aim, REACHED[figure.reached])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if 0 < place < 4 else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
