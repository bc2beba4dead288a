"""Figures of the bus that the database knows, for the metrics of one process of a service."""

from collections.abc import Callable
from typing import NamedTuple

from eventbus.dead_letters import open_dead_letters


class Figure(NamedTuple):
    """A number of the database, and what it says."""

    help: str
    read: Callable[[], float]


FIGURES = {"eventbus_dead_letters_open": Figure("Records that wait for a decision", open_dead_letters)}
