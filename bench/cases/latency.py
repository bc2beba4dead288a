"""From a commit in tasks to the commit of its posting in billing, at 500 a second, tasks and billing running."""

from bench.measure import Aim, Figure
from bench.stage import Stage

RATE = 500
SECONDS = 20
WORKERS = 100
REPETITIONS = 3


def run(stage: Stage) -> list[Figure]:
    """Percentiles of all commits of a run."""
    with stage.processes("tasks", "billing"):
        found = stage.inside("tasks", "latency", rate=RATE, duration=SECONDS, workers=WORKERS, repetitions=REPETITIONS)
    return [
        Figure("commit to effect, p50", "ms", tuple(found["p50"]), Aim(15)),
        Figure("commit to effect, p99", "ms", tuple(found["p99"]), Aim(50)),
        Figure("rate that was kept", "commits/s", tuple(found["rate"]), Aim(0.98 * RATE, at_least=True)),
    ]
