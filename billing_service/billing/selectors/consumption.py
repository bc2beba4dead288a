"""How far billing has read what tasks told."""

from datetime import datetime

from eventbus import consumed_until


def consumed_before(moment: datetime) -> bool:
    """Whether everything that was received before the moment is posted."""
    until = consumed_until("tasks")
    return until is not None and until >= moment
