"""Any story, any dump, any loss: what was told is in the ledger as it was told, and nobody gets more than is right."""

from collections import defaultdict
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Cycle, LedgerAccount, Payout, Transfer
from billing.selectors.ledger_check import complete_findings, ledger_findings
from billing.services.adjustments import adjustment_post
from billing.services.task_events import task_events_post, tasks_apply
from eventbus import event_id
from eventbus.testing import published
from tests.ledger import close
from tests.make import BOSS, DUE, account, open_cycle
from tests.test_ledger_properties import FEW, WORKERS, expected, histories, rolled_back, shuffled
from tests.told import Dump, replay, take_back

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long


def correct(data, corrections):
    """Finance corrects somebody by some cents."""
    worker, amount = data.draw(st.sampled_from(WORKERS)), data.draw(st.integers(-3000, 3000).filter(bool))
    given = {"account_id": worker, "amount": abs(amount), "credit": amount > 0, "reason": "For the property."}
    id_ = adjustment_post(form_key=event_id(f"form {len(corrections)}"), actor_id=BOSS, now=DUE, **given)
    corrections[id_] = worker, amount


def work_on(data, batches, corrections, *, dump_at=None):
    """Batches, corrections and closings in any order; returns the dump, if one is asked for."""
    dump = None
    for number, batch in enumerate(batches):
        if number == dump_at:
            dump = Dump()
        task_events_post(batch)
        for _ in range(data.draw(st.integers(0, 1))):
            correct(data, corrections)
        for _ in range(data.draw(st.sampled_from([0, 0, 1, 2]))):
            close(Cycle.objects.get(state="open").due_at)
    return dump


def paid():
    sums = defaultdict(int)
    for worker, amount in Transfer.objects.filter(kind="payout").values_list("account_id", "amount"):
        sums[worker] += amount
    return sums


@FEW
@given(histories=histories, data=st.data())
def test_what_was_told_is_there_and_nobody_gets_more_than_is_right(histories, data):
    @rolled_back
    def example():
        open_cycle()
        for worker in WORKERS:
            account(worker)
        events = [event for _, history, _ in histories for event in history]
        batches, corrections = shuffled(data, events), {}
        dump = work_on(data, batches, corrections, dump_at=data.draw(st.integers(0, len(batches) - 1)))
        told = published()
        told = told[: data.draw(st.integers(0, len(told)))]
        dump.restore()
        kept = set(Transfer.objects.values_list("id", flat=True))
        take_back(told, events)

        entries = {UUID(e.data["transfer_id"]): e.data for e in told if e.name == "TransactionPosted"}
        rows = {row.id: row for row in Transfer.objects.all()}
        assert set(rows) == kept | set(entries)
        for id_, data_ in entries.items():
            row = rows[id_]
            assert (str(row.cycle_id), str(row.account_id), row.change) == (
                data_["cycle_id"],
                data_["account_id"],
                data_["amount"],
            )
        # A reversal may be told whose original was not.
        assert {finding.rule for finding in ledger_findings()} <= {"a reversal has its original"}

        posted = Transfer.objects.count()
        take_back(told, events)
        assert Transfer.objects.count() == posted
        replay(events)
        for _ in range(2):
            close(Cycle.objects.get(state="open").due_at)
        tasks_apply([state for _, _, state in histories])
        right = expected(events)
        for id_, (worker, amount) in corrections.items():
            if id_ in rows:
                right[worker] = right.get(worker, 0) + amount
        got = paid()
        assert dict(LedgerAccount.objects.values_list("id", "balance")) == {
            worker: amount - got[worker] for worker, amount in right.items()
        }
        assert Payout.objects.count() == Transfer.objects.filter(kind="payout").count()
        assert ledger_findings() == []
        assert complete_findings() == []

    example()
