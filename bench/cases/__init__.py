"""The benchmarks, in the order in which they run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench.cases import consumer, export, latency, pages, reassignment, relay
from bench.measure import Figure
from bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Case:
    """A benchmark, and the services whose databases it needs."""

    run: Callable[[Stage], list[Figure]]
    services: tuple[str, ...]


CASES = {
    # First: the others leave records behind that billing would have to work off.
    "latency": Case(latency.run, ("tasks", "billing")),
    "consumer": Case(consumer.run, ("billing",)),
    "relay": Case(relay.run, ("tasks",)),
    "reassignment": Case(reassignment.run, ("tasks",)),
    **{f"pages-of-{service}": Case(partial(pages.run, service=service), (service,)) for service in pages.SERVICES},
    "export": Case(export.run, ("tasks", "billing")),
}
