"""Why a reward is on a statement, or is not: the cases that the answer to a complaint tells apart (B8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Case(StrEnum):
    """What became of the reward of a task."""

    NOT_RECEIVED = "not received"
    NOT_COMPLETED = "not completed"
    COMPLETION_NOT_RECEIVED = "completion not received"
    DEAD_LETTERS = "waiting in dead letters"
    REOPENED = "reopened"
    BY_ANOTHER = "completed by another"
    REWARDED = "rewarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the ledger holds about a task, and what is known of it otherwise."""

    received: bool  # any event of the task was applied
    completions: int  # by the task's own counter, in the newest state received
    earnings: int  # how many of these were posted as earnings
    standing: UUID | None  # who has the earning that was not taken back
    letters: bool  # events of the task wait in dead letters


def case_of(evidence: Evidence, *, worker_id: UUID | None = None) -> Case:
    """The case of a task, for everybody or from the side of one worker who misses the reward (B8)."""
    if evidence.standing is not None and worker_id in (None, evidence.standing):
        return Case.REWARDED
    if evidence.letters:
        return Case.DEAD_LETTERS
    if not evidence.received:
        return Case.NOT_RECEIVED
    if evidence.completions > evidence.earnings:
        return Case.COMPLETION_NOT_RECEIVED
    if evidence.standing is not None:
        return Case.BY_ANOTHER
    return Case.REOPENED if evidence.earnings else Case.NOT_COMPLETED
