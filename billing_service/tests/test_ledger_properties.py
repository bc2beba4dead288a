"""Any order, any repetition, any batching of the same events gives the same balances to the cent.

The model of the ledger is the test's own: a set of facts and sums over it.
"""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import AccountDay, Cycle, LedgerAccount, Transfer
from billing.selectors.ledger_check import complete_findings, ledger_findings
from billing.services.cycles import cycles_close_due
from billing.services.task_events import task_events_post, tasks_apply
from eventbus import event_id
from tests.make import DUE, MONDAY, assigned, completed, fee, open_cycle, reopened, reward, task_id, task_state

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long

WORKERS = [event_id(f"worker {number}") for number in range(3)]
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def task_histories(draw):
    """What tasks would publish for one task: assignments, completions and reopenings that follow each other."""
    number = draw(st.integers(1, 50))
    task, events, time = task_id(number), [], MONDAY
    worker, assignments, completions, done = draw(st.sampled_from(WORKERS)), 1, 0, False
    events.append(assigned(task, 1, worker, time))
    for step in draw(st.lists(st.sampled_from(["reassign", "toggle", "toggle"]), max_size=6)):
        time += timedelta(hours=draw(st.integers(1, 30)))
        if step == "reassign" and not done:
            worker, assignments = draw(st.sampled_from(WORKERS)), assignments + 1
            events.append(assigned(task, assignments, worker, time, cause="reassigned"))
        elif step == "toggle" and not done:
            completions, done = completions + 1, True
            events.append(completed(task, completions, worker, time))
        elif step == "toggle":
            done = False
            events.append(reopened(task, completions, worker, time))
    state = task_state(
        task, version=9, assignment_no=assignments, completion_no=completions, status="done" if done else "open"
    )
    return number, events, state


histories = st.lists(task_histories(), min_size=1, max_size=4, unique_by=lambda history: history[0])


def expected(events):
    """The model: what each fact costs or earns, each counted once."""
    sums, seen = defaultdict(int), set()
    for event in events:
        task, account = UUID(event.key), UUID(event.data["account_id"])
        number = event.data.get("assignment_no") or event.data["completion_no"]
        if (event.name, task, number) in seen:
            continue
        seen.add((event.name, task, number))
        sums[account] += {"TaskAssigned": -fee(task), "TaskCompleted": reward(task), "TaskReopened": -reward(task)}[
            event.name
        ]
    return dict(sums)


def shuffled(data, events):
    """Every event at least once, some again, in any order, cut into batches anywhere."""
    again = data.draw(st.lists(st.sampled_from(events), max_size=5))
    order = data.draw(st.permutations(events + again))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=5)))
    edges = [0, *cuts, len(order)]
    return [order[start:end] for start, end in pairwise(edges) if start < end]


def rolled_back(test):
    """Each example starts from an empty ledger."""

    def run(*args, **kwargs):
        with transaction.atomic():
            test(*args, **kwargs)
            transaction.set_rollback(True)

    return run


def balances():
    return dict(LedgerAccount.objects.values_list("id", "balance"))


@FEW
@given(histories=histories, data=st.data())
def test_any_order_repetition_and_batching_gives_the_same_balances(histories, data):
    @rolled_back
    def example():
        open_cycle()
        events = [event for _, history, _ in histories for event in history]
        for batch in shuffled(data, events):
            task_events_post(batch)
        assert balances() == expected(events)
        assert Transfer.objects.count() == len(events)
        assert AccountDay.objects.count() <= len(events)
        tasks_apply([state for _, _, state in histories])
        assert ledger_findings() == []
        assert complete_findings() == []

    example()


@FEW
@given(histories=histories, data=st.data())
def test_closings_in_between_conserve_every_cent_and_pay_each_payout_once(histories, data):
    @rolled_back
    def example():
        open_cycle()
        events = [event for _, history, _ in histories for event in history]
        owed, paid, due = defaultdict(int), defaultdict(int), DUE
        seen = []
        for batch in shuffled(data, events):
            task_events_post(batch)
            seen += batch
            if data.draw(st.booleans()):
                owed = {account: total - paid[account] for account, total in expected(seen).items()}
                for account, amount in owed.items():
                    paid[account] += max(amount, 0)
                cycles_close_due(now=due, consumed=lambda moment: True)
                due = Cycle.objects.get(state="open").due_at
        assert balances() == {account: total - paid[account] for account, total in expected(events).items()}
        payouts = Transfer.objects.filter(kind="payout")
        by_account = defaultdict(int)
        for payout in payouts:
            by_account[payout.account_id] += payout.amount
        assert by_account == {account: amount for account, amount in paid.items() if amount}
        assert payouts.values("cycle_id", "account_id").distinct().count() == payouts.count()
        wrong = {finding.rule for finding in ledger_findings()}
        assert wrong == set()

    example()
