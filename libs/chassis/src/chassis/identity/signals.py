"""A sign-in may bring a newer role than the events have brought so far; who acts on roles listens here."""

from django.dispatch import Signal

# Sent inside the transaction that applied it: account (the row as it is now), before: (role, is_active).
access_changed = Signal()
