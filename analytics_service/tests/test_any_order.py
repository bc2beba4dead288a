"""Any order and any repetition of the same events gives the same numbers: held against a small model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import selectors, services
from analytics.domain import Income, Period
from analytics.models import AccountBalance
from eventbus import Event
from tests.making import at, make, posted, uid

FIRST = date(2026, 2, 27)
DAYS = 6
WORKERS = ("ada", "ben", "cleo")


@dataclass
class World:
    """What really happened, told in the simplest way."""

    events: list[Event] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    income: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    done: dict[str, tuple[int, date, Any]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def post(
        self, kind: str, cents: int, day: date, minute: int, worker: str, task: str, name: str, **more: Any
    ) -> None:
        moment = at(day, 8 + minute // 60, minute % 60)
        self.events.append(posted(kind, cents, day, moment=moment, account=worker, task=task, transfer=name, **more))
        self.balances[worker] += cents
        self.income[day] -= cents

    def complete(self, task: str, number: int, reward: int, day: date, minute: int, worker: str) -> None:
        self.post("earning", reward, day, minute, worker, task, f"{task}:{number}")
        self.done[task] = (reward, day, at(day, 8 + minute // 60, minute % 60))

    def reopen(self, task: str, number: int, reward: int, day: date, minute: int, worker: str) -> None:
        self.post("reversal", -reward, day, minute, worker, task, f"back:{task}:{number}", reverses=f"{task}:{number}")
        del self.done[task]

    def top(self, day: date) -> list[UUID]:
        rewards = {task: found for task, found in self.done.items() if found[1] == day}
        highest = max((reward for reward, _, _ in rewards.values()), default=0)
        tied = [(found[2], UUID(uid(task))) for task, found in rewards.items() if found[0] == highest]
        return [task for _, task in sorted(tied)]


@st.composite
def worlds(draw: Any) -> World:
    world = World()
    for number in range(draw(st.integers(1, 4))):
        task, minute = f"task {number}", 0
        day = FIRST + timedelta(days=draw(st.integers(0, 2)))
        reward = draw(st.integers(20, 22)) * 100
        for completion in range(draw(st.integers(0, 3))):
            worker = draw(st.sampled_from(WORKERS))
            minute += draw(st.integers(1, 90))
            world.post("fee", -1000, day, minute, worker, task, f"fee:{task}:{completion}")
            day += timedelta(days=draw(st.integers(0, 1)))
            world.complete(task, completion, reward, day, minute + 1, worker)
            if draw(st.booleans()) or completion < 2:
                world.reopen(task, completion, reward, day, minute + 2, worker)
        for version in range(1, draw(st.integers(1, 3)) + 1):
            world.titles[task] = f"{task}, version {version}"
            world.events.append(
                make("TaskUpdated", task_id=uid(task), version=version, title=world.titles[task], jira_id=None)
            )
    return world


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), data=st.data())
def test_any_order_and_any_repetition_gives_the_same_numbers(world: World, data: Any):
    again = data.draw(st.lists(st.sampled_from(world.events), max_size=5)) if world.events else []
    order = data.draw(st.permutations(world.events + again))
    size = data.draw(st.integers(1, 7))

    with undone():
        for start in range(0, len(order), size):
            services.facts_consume(events=order[start : start + size])
        compare(world)
        services.rebuild(chunk=size, tail=data.draw(st.integers(0, 4)))
        compare(world)


def compare(world: World) -> None:
    period = Period(FIRST, FIRST + timedelta(days=DAYS))
    report = selectors.report_show(period=period)
    generation = selectors.Generation.objects.get().number
    balances = AccountBalance.objects.filter(generation=generation).values_list("account_id", "balance")

    assert dict(balances) == {UUID(uid(worker)): cents for worker, cents in world.balances.items()}
    assert {day.day: day.income.total for day in report.days if day.income != Income()} == dict(world.income)
    assert {day.day: [task.task_id for task in day.top.tasks] if day.top else [] for day in report.days} == {
        day.day: world.top(day.day) for day in report.days
    }
    tops = [task for day in report.days if day.top for task in day.top.tasks]
    assert {label.title for label in selectors.labels(tops).values()} == {
        world.titles[name] for name in world.titles if UUID(uid(name)) in {task.task_id for task in tops}
    }
