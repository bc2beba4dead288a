"""Use cases: each writes and publishes in one transaction. `locks` says in which order rows are locked."""

from .accounts import accounts_apply
from .lifecycle import task_complete, task_create
from .prices import PriceChanged, prices_apply
from .reassignment import tasks_reassign
from .reopening import task_reopen, task_undo

__all__ = [
    "PriceChanged",
    "accounts_apply",
    "prices_apply",
    "task_complete",
    "task_create",
    "task_reopen",
    "task_undo",
    "tasks_reassign",
]
