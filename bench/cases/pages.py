"""The time of each list page at 1,000, 100,000 and 1,000,000 rows; of billing's also at 10,000,000 transfers."""

from bench.measure import Aim, Figure, percentile
from bench.stage import Stage

SIZES = (1_000, 100_000, 1_000_000)
MORE_SIZES = {"billing": (10_000_000,)}
SERVICES = ("auth", "tasks", "billing", "analytics")
REQUESTS = 150
FLAT = Aim(1.5)  # times the p95 of the page with the fewest rows
LONGEST_SECONDS = 3600.0  # filling tables with their indexes takes most of it


def run(stage: Stage, *, service: str) -> list[Figure]:
    """The times of each page of a service with few and with many rows, and how their p95 compare."""
    sizes = (*SIZES, *MORE_SIZES.get(service, ()))
    given = {"service": service, "sizes": sizes, "requests": REQUESTS}
    found = stage.inside(service, "pages", seconds=LONGEST_SECONDS, **given)
    return [figure for page, times in found.items() for figure in _figures(page, times)]


def _figures(page: str, times: dict[str, list[float]]) -> list[Figure]:
    """`times` is by the number of rows, ascending."""
    figures = [Figure(f"{page}: {int(size):,} rows", "ms", tuple(its)) for size, its in times.items()]
    p95s = [percentile(its, 0.95) for its in times.values()]
    most = f"{int(list(times)[-1]):,}"
    return [
        *figures,
        Figure(f"{page}: p95 at {most} rows", "ms", (p95s[-1],)),
        Figure(f"{page}: p95 at most / few rows", "times", (max(p95s[1:]) / p95s[0],), FLAT),
    ]
