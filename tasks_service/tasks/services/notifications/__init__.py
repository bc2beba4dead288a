"""Who is told of an assignment (T5): noted with it, composed into messages a minute later, sent by a job.

1. `assignments_note` writes rows with the assignment itself, one per worker and cause.
2. `messages_compose` makes of what came within a minute one message for each channel that the person chose.
3. `messages_send` sends what is due, again after a failure, until it gives up; `message_send_again` begins anew.
"""

from .compose import messages_compose
from .contacts import (
    CodeOutcome,
    code_confirm,
    code_send,
    contact_forget,
    contact_switch,
    contacts_erase,
)
from .note import Assigned, assignments_note
from .send import message_send_again, messages_send

__all__ = [
    "Assigned",
    "CodeOutcome",
    "assignments_note",
    "code_confirm",
    "code_send",
    "contact_forget",
    "contact_switch",
    "contacts_erase",
    "message_send_again",
    "messages_compose",
    "messages_send",
]
