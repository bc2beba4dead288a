"""The relay emptying a full outbox, against a raw producer of the same records."""

from bench.measure import Aim, Figure, ratios
from bench.stage import Stage

ROWS = 100_000
REPETITIONS = 5


def run(stage: Stage) -> list[Figure]:
    """Rows per second of both, and their ratio."""
    found = stage.inside("tasks", "relay", rows=ROWS, repetitions=REPETITIONS)
    return [
        Figure("relay", "rows/s", tuple(found["relay"])),
        Figure("raw producer", "records/s", tuple(found["raw"])),
        Figure("relay / raw producer", "share", ratios(found["relay"], found["raw"]), Aim(0.4, at_least=True)),
    ]
