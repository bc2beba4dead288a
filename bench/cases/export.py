"""The memory that an export of 1,000,000 rows takes, and how fast it comes."""

from bench.measure import Aim, Figure
from bench.stage import Stage

ROWS = 1_000_000
FEW = 10_000
CONSTANT = Aim(16)  # MiB more than the export of a hundredth of the rows


def run(stage: Stage) -> list[Figure]:
    """The list of tasks and a statement as CSV: rows a second, and what the process grew by."""
    figures = []
    for service, what in (("tasks", "all open tasks"), ("billing", "a statement")):
        found = stage.inside(service, "export", seconds=1800.0, service=service, few=FEW, rows=ROWS)
        figures += [
            Figure(f"export of {ROWS:,} rows, {what}", "rows/s", (found["rows"] / found["seconds"],)),
            Figure(f"export of {ROWS:,} rows, {what}: first row after", "ms", (found["first"] * 1000,)),
            Figure(f"export of {ROWS:,} rows, {what}: memory over {FEW:,} rows", "MiB", (found["growth"],), CONSTANT),
        ]
    return figures
