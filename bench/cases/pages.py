"""The time of each list page at 1,000 and at 1,000,000 rows."""

from bench.measure import Aim, Figure, percentile
from bench.stage import Stage

SIZES = (1_000, 1_000_000)
REQUESTS = 60
FLAT = Aim(1.5)  # times the page with a thousandth of the rows


def run(stage: Stage) -> list[Figure]:
    """Each page's times with few and with many rows, and how the medians compare."""
    figures = []
    for service in ("tasks", "billing", "analytics"):
        found = stage.inside(service, "pages", service=service, sizes=SIZES, requests=REQUESTS)
        for page, times in found.items():
            figures += _figures(page, times)
    return figures


def _figures(page: str, times: dict[str, list[float]]) -> list[Figure]:
    few, many = (Figure(f"{page}: {size:,} rows", "ms", tuple(times[str(size)])) for size in SIZES)
    return [
        few,
        many,
        Figure(f"{page}: p95 at {SIZES[1]:,} rows", "ms", (percentile(many.runs, 0.95),)),
        Figure(f"{page}: many / few rows", "times", (many.value / few.value,), FLAT),
    ]
