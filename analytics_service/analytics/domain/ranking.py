"""The most expensive completed task (A2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

# Tasks of a tie that are named at once; a page of its own lists all of them.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Completed:
    """A task that is done: its last completion, with the reward in cents and who earned it."""

    task_id: UUID
    account_id: UUID
    reward: int
    business_date: date
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Top:
    """The highest reward of some days in cents, and the tasks that earned it, earliest first.

    `more` says that further tasks share it than are named here.
    """

    reward: int
    tasks: tuple[Completed, ...]
    more: bool


def ranking_key(task: Completed) -> tuple[datetime, UUID]:
    """The order within a tie: the earliest completion first, then the task's id."""
    return task.occurred_at, task.task_id


def top_of(tasks: Iterable[Completed], *, shown: int = SHOWN) -> Top | None:
    """The tasks with the highest reward among these; None without any."""
    candidates = list(tasks)
    if not candidates:
        return None
    reward = max(task.reward for task in candidates)
    tied = sorted((task for task in candidates if task.reward == reward), key=ranking_key)
    return Top(reward, tuple(tied[:shown]), len(tied) > shown)


def best(tops: Iterable[Top | None], *, shown: int = SHOWN) -> Top | None:
    """The top of several days from the tops of each: of a week, a month or a period."""
    found = [top for top in tops if top is not None]
    overall = top_of((task for top in found for task in top.tasks), shown=shown)
    if overall is None:
        return None
    return Top(overall.reward, overall.tasks, overall.more or any(t.more for t in found if t.reward == overall.reward))
