"""Use cases: each writes and publishes in one transaction. `locks` says in which order rows are locked."""

from .accounts import accounts_apply
from .editing import EditedMeanwhile, task_edit
from .lifecycle import task_complete, task_create
from .notifications import (
    CodeOutcome,
    code_confirm,
    code_send,
    contact_forget,
    contact_switch,
    message_send_again,
    messages_compose,
    messages_send,
)
from .prices import PriceChanged, prices_apply
from .reassignment import tasks_reassign
from .reopening import task_reopen, task_undo

__all__ = [
    "CodeOutcome",
    "EditedMeanwhile",
    "PriceChanged",
    "accounts_apply",
    "code_confirm",
    "code_send",
    "contact_forget",
    "contact_switch",
    "message_send_again",
    "messages_compose",
    "messages_send",
    "prices_apply",
    "task_complete",
    "task_create",
    "task_edit",
    "task_reopen",
    "task_undo",
    "tasks_reassign",
]
