"""Figures of the database for Prometheus, read at each scrape of a service's worker.

The setting `FIGURES` names tables of name -> `Figure`. A table is read by one process of a service, so that nothing is
counted twice. While the database is away its figures are missing, and `tracker_database_answers` says that it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import Error, connection
from django.utils.module_loading import import_string
from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

logger = structlog.get_logger("chassis.figures")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the database, and what it says."""

    help: str
    read: Callable[[], float | None]  # None: there is nothing to say here


class Figures(Collector):
    """Reads a table of figures at each scrape, on a connection that it gives back."""

    def __init__(self, table: Mapping[str, Figure]) -> None:
        self._table = table

    def describe(self) -> Iterator[Metric]:
        """Names only: registering must not ask the database."""
        return (GaugeMetricFamily(name, figure.help) for name, figure in self._table.items())

    def collect(self) -> Iterator[Metric]:
        """What the database says now; nothing while it does not answer."""
        try:
            values = {name: figure.read() for name, figure in self._table.items()}
            yield from [
                GaugeMetricFamily(name, self._table[name].help, value=value)
                for name, value in values.items()
                if value is not None
            ]
        except Error as error:
            logger.warning("figures_missing", error=str(error))
        finally:
            connection.close()  # each scrape has a thread of its own


class Answers(Collector):
    """Whether the database answers: the alerts on its figures are silent while it does not."""

    def describe(self) -> Iterator[Metric]:
        """Without asking."""
        return iter([self._metric(None)])

    def collect(self) -> Iterator[Metric]:
        """Asks now."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            yield self._metric(1)
        except Error:
            yield self._metric(0)
        finally:
            connection.close()

    def _metric(self, value: int | None) -> Metric:
        return GaugeMetricFamily("tracker_database_answers", "Whether the database answers", value=value)


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Add the tables of the setting to the metrics of this process, and whether they can be read."""
    registry.register(Answers())
    for path in getattr(settings, "FIGURES", ()):
        registry.register(Figures(import_string(path)))
