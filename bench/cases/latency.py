"""From a commit in tasks to the commit of its posting in billing, tasks and billing running."""

from bench.measure import Aim, Figure
from bench.stage import Stage

RATE = 500
EASY_RATE = 20  # no queue builds up: what the way itself takes
SECONDS = 20
WORKERS = 100
REPETITIONS = 3


def run(stage: Stage) -> list[Figure]:
    """Percentiles of all commits of a run: under load, and almost without."""
    with stage.processes("tasks", "billing"):
        return [*_figures(stage, RATE, Aim(15), Aim(50)), *_figures(stage, EASY_RATE)]


def _figures(stage: Stage, rate: int, p50: Aim | None = None, p99: Aim | None = None) -> list[Figure]:
    found = stage.inside("tasks", "latency", rate=rate, duration=SECONDS, workers=WORKERS, repetitions=REPETITIONS)
    return [
        Figure(f"commit to effect at {rate}/s, p50", "ms", tuple(found["p50"]), p50),
        Figure(f"commit to effect at {rate}/s, p99", "ms", tuple(found["p99"]), p99),
        Figure(f"rate that was kept of {rate}/s", "commits/s", tuple(found["rate"]), Aim(0.98 * rate, at_least=True)),
    ]
