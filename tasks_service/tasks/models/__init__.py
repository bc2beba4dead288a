"""What the service keeps. Rows of histories, prices and reassignments are added, never changed."""

from .notification import ConfirmationCode, Contact, Delivery, Notification
from .reassignment import Reassignment, ReassignmentShare
from .task import Task, TaskHistory, TaskPrice, TaskSearch

__all__ = [
    "ConfirmationCode",
    "Contact",
    "Delivery",
    "Notification",
    "Reassignment",
    "ReassignmentShare",
    "Task",
    "TaskHistory",
    "TaskPrice",
    "TaskSearch",
]
