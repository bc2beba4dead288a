"""Dead letters of a task's events, which explain what is missing on a statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from eventbus import dead_letters_of

MOST_LETTERS = 100


def letters_of(task_id: UUID) -> list[Any]:
    """All dead letters of a task, those that were settled and those that cannot be read too, oldest first."""
    return list(dead_letters_of([str(task_id)])[:MOST_LETTERS])


def open_letters(task_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """For each task with open dead letters: number, event and reason of each."""
    found: dict[UUID, list[str]] = {}
    for letter in dead_letters_of(str(task_id) for task_id in task_ids):
        if letter.is_open:
            text = f"#{letter.pk} {letter.event_name or 'unreadable'} {letter.state}: {letter.reason}"
            found.setdefault(UUID(letter.about), []).append(text)
    return found
