"""Billing's consumer posting TaskAssigned, against poll + decode + COPY of the same rows into the same tables."""

from bench.measure import Aim, Figure, ratios
from bench.stage import Stage

EVENTS = 40_000
WORKERS = 100
REPETITIONS = 3
AIM = Aim(0.5, at_least=True)


def run(stage: Stage) -> list[Figure]:
    """Events per second of both and their ratio: for tasks that have a price, and for tasks seen first."""
    return [
        *_figures(stage, "tasks with a price", known=True),
        *_figures(stage, "tasks seen first", known=False),
    ]


def _figures(stage: Stage, what: str, *, known: bool) -> list[Figure]:
    found = stage.inside("billing", "consumer", events=EVENTS, workers=WORKERS, known=known, repetitions=REPETITIONS)
    return [
        Figure(f"billing consumer, {what}", "events/s", tuple(found["consumer"])),
        Figure(f"poll + decode + COPY, {what}", "events/s", tuple(found["ceiling"])),
        Figure(f"consumer / ceiling, {what}", "share", ratios(found["consumer"], found["ceiling"]), AIM),
    ]
