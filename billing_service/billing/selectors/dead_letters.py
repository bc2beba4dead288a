"""Dead letters of a task's events, which explain what is missing on a statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import apps

MOST_LETTERS = 100


def letters_of(task_id: UUID) -> list[Any]:
    """All dead letters of a task, those that were settled too, oldest first."""
    letters = apps.get_model("eventbus", "DeadLetter").objects
    return list(letters.filter(sequence_key=str(task_id)).order_by("id")[:MOST_LETTERS])


def open_dead_letters(task_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """For each task with open dead letters: number, event and reason of each."""
    letters = apps.get_model("eventbus", "DeadLetter").objects.filter(
        state__in=["dead", "waiting"], sequence_key__in=[str(task_id) for task_id in task_ids]
    )
    found: dict[UUID, list[str]] = {}
    for letter in letters.order_by("id"):
        text = f"#{letter.id} {letter.event_name} {letter.state}: {letter.reason}"
        found.setdefault(UUID(letter.sequence_key), []).append(text)
    return found
