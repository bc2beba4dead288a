"""Figures of the bus that the database knows, for the metrics of one process of a service."""

from collections.abc import Callable
from typing import NamedTuple

from eventbus.models import DeadLetter


class Figure(NamedTuple):
    """A number of the database, and what it says."""

    help: str
    read: Callable[[], float]


def open_dead_letters() -> int:
    """Records that wait for a decision, with those behind them."""
    return DeadLetter.objects.filter(state__in=(DeadLetter.State.DEAD, DeadLetter.State.WAITING)).count()


FIGURES = {"eventbus_dead_letters_open": Figure("Records that wait for a decision", open_dead_letters)}
