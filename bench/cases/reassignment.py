"""Reassigning 100,000 open tasks, with history and outbox, against one bare UPDATE of the same rows."""

from bench.measure import Aim, Figure, ratios
from bench.stage import Stage

TASKS = 100_000
WORKERS = 100
REPETITIONS = 3


def run(stage: Stage) -> list[Figure]:
    """Seconds of both, and their ratio."""
    found = stage.inside("tasks", "reassignment", tasks=TASKS, workers=WORKERS, repetitions=REPETITIONS)
    return [
        Figure("reassign 100,000 open tasks", "s", tuple(found["whole"]), Aim(10)),
        Figure("one bare UPDATE of them", "s", tuple(found["bare"])),
        Figure("reassign / bare UPDATE", "times", ratios(found["whole"], found["bare"]), Aim(5)),
    ]
