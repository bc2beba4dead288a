"""Closing a cycle pays each positive balance once, whatever happens in between."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.models import Cycle, Payout, Transfer
from billing.selectors.clock import database_now
from billing.selectors.ledger_check import ledger_findings
from billing.services.cycles import (
    cycle_finish,
    cycle_flip,
    cycle_open_first,
    cycle_request_close,
    cycles_close_due,
)
from billing.services.payouts import payouts_post_batch
from chassis.business_time import zone
from eventbus import event_id
from eventbus.testing import clear_outbox, deliver, published
from tests.ledger import balances, close, payouts
from tests.make import (
    BORIS,
    BOSS,
    DUE,
    MONDAY,
    WILMA,
    account,
    assigned,
    completed,
    fee,
    open_cycle,
    reopened,
    reward,
    task_id,
)

TASK = task_id()


@pytest.mark.django_db
class TestOneClosing:
    @pytest.fixture(autouse=True)
    def cycle(self):
        return open_cycle()

    def test_a_positive_balance_is_paid_and_becomes_zero(self, cycle):
        deliver("tasks", [assigned(), completed()])
        owed = reward(TASK) - fee(TASK)
        assert close() == [cycle.id]
        assert payouts() == [(WILMA, owed)]
        assert balances() == {WILMA: 0}
        entry = Transfer.objects.get(kind="payout")
        assert entry.id == event_id(f"payout:{cycle.id}:{WILMA}")
        assert (entry.cycle_id, entry.occurred_at, entry.business_date) == (cycle.id, DUE, date(2026, 3, 2))
        assert ledger_findings() == []

    def test_a_debt_is_carried_over_and_is_paid_from_later_rewards(self):
        deliver("tasks", [assigned(no=1), assigned(no=2)])
        close()
        assert balances() == {WILMA: -2 * fee(TASK)}
        deliver("tasks", [completed(no=1), completed(no=2)])
        close(DUE + timedelta(days=1))
        assert payouts() == [(WILMA, 2 * reward(TASK) - 2 * fee(TASK))]

    def test_closing_never_looks_at_the_role(self):
        deliver("tasks", [completed(account=WILMA), completed(task_id(2), account=BORIS)])
        account(WILMA, role="admin", is_active=False)
        close()
        assert balances() == {WILMA: 0, BORIS: 0}

    def test_a_reopening_after_the_payout_takes_the_balance_below_zero(self):
        deliver("tasks", [completed()])
        close()
        deliver("tasks", [reopened()])
        assert balances() == {WILMA: -reward(TASK)}
        assert ledger_findings() == []

    def test_what_is_published_lets_a_reader_know_when_it_has_all(self, cycle):
        deliver("tasks", [completed(account=WILMA), completed(task_id(2), account=BORIS)])
        clear_outbox()
        close()
        posted, made, [closed] = published("TransactionPosted"), published("PayoutMade"), published("CycleClosed")
        assert {event.data["transfer_id"] for event in posted} == {event.data["transfer_id"] for event in made}
        assert {str(event.id) for event in posted} == {event.data["transfer_id"] for event in posted}
        assert (closed.id, closed.key) == (event_id(f"cycle_closed:{cycle.id}"), str(cycle.id))
        total = reward(TASK) + reward(task_id(2))
        assert (closed.data["payout_count"], closed.data["payout_sum"]) == (2, total)
        cycle.refresh_from_db()
        assert (closed.data["hash"], closed.data["due_at"]) == (cycle.hash, DUE)
        assert len(cycle.hash) == 64
        assert [event.name for event in published()][-1] == "CycleClosed"

    def test_nothing_happens_before_the_due_time(self):
        assert close(DUE - timedelta(microseconds=1)) == []
        assert Cycle.objects.get().state == "open"

    def test_closing_twice_closes_once(self, cycle):
        deliver("tasks", [completed()])
        assert close() == [cycle.id]
        assert close() == []
        assert len(payouts()) == 1
        assert Cycle.objects.count() == 2

    def test_the_next_cycle_is_due_on_the_next_weekday(self):
        friday = Cycle.objects.get()
        friday.due_at = datetime(2026, 3, 27, 17, tzinfo=UTC)  # the clock jumps ahead on the Sunday after it
        friday.save()
        close(friday.due_at)
        following = Cycle.objects.get(state="open")
        assert (following.starts_at, following.due_at) == (friday.due_at, datetime(2026, 3, 30, 16, tzinfo=UTC))

    def test_the_cycle_over_the_end_of_summer_time_is_an_hour_longer(self):
        friday = Cycle.objects.get()
        friday.due_at = datetime(2026, 10, 23, 16, tzinfo=UTC)
        friday.save()
        close(friday.due_at)
        assert Cycle.objects.get(state="open").due_at - friday.due_at == timedelta(days=3, hours=1)

    def test_days_of_standstill_are_closed_in_order_also_empty_ones(self):
        deliver("tasks", [completed()])
        assert len(close(DUE + timedelta(days=7))) == 6  # Monday to Monday, without the weekend
        states = list(Cycle.objects.order_by("due_at").values_list("state", flat=True))
        assert states == ["closed"] * 6 + ["open"]
        assert [cycle.payout_count for cycle in Cycle.objects.order_by("due_at")] == [1, 0, 0, 0, 0, 0, 0]
        assert ledger_findings() == []

    def test_as_if_due_closes_the_open_cycle_at_once_and_only_that(self, cycle):
        deliver("tasks", [completed()])
        assert close(MONDAY, consumed=False, as_if_due=True) == [cycle.id]
        assert Cycle.objects.get(state="open").due_at == DUE

    def test_as_if_due_finishes_a_closing_under_way_before_it_closes_the_open_cycle(self, cycle):
        cycle_flip(cycle_id=cycle.id, now=MONDAY)
        assert len(close(MONDAY, consumed=False, as_if_due=True)) == 2
        assert Cycle.objects.filter(state="closed").count() == 2

    def test_a_failure_is_kept_on_the_cycle_until_it_is_closed(self, cycle):
        def fail(step):
            raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError):
            close(checkpoint=fail)
        cycle.refresh_from_db()
        assert (cycle.state, cycle.failure, cycle.failed_at) == ("closing", "RuntimeError: the disk is full", DUE)
        close()
        cycle.refresh_from_db()
        assert (cycle.state, cycle.failure, cycle.failed_at) == ("closed", "", None)

    def test_a_late_event_of_a_closed_cycle_is_paid_by_the_next_one(self):
        close()
        deliver("tasks", [completed(time=DUE - timedelta(hours=1))])
        entry = Transfer.objects.get()
        assert (entry.business_date, entry.cycle.due_at) == (date(2026, 3, 2), DUE + timedelta(days=1))
        close(DUE + timedelta(days=1))
        assert payouts() == [(WILMA, reward(TASK))]


@pytest.mark.django_db
class TestWaiting:
    @pytest.fixture(autouse=True)
    def cycle(self):
        return open_cycle()

    def test_a_due_cycle_waits_for_consumption_up_to_fifteen_minutes(self, cycle):
        for minute in range(15):
            assert close(DUE + timedelta(minutes=minute), consumed=False) == []
        assert close(DUE + timedelta(minutes=15), consumed=False) == [cycle.id]

    def test_it_asks_for_what_was_received_before_the_due_time(self):
        asked = []
        cycles_close_due(now=DUE, consumed=lambda moment: asked.append(moment) or True)
        assert asked == [DUE]

    def test_finance_closes_a_due_cycle_without_waiting(self, cycle):
        Cycle.objects.filter(id=cycle.id).update(due_at=database_now() - timedelta(minutes=1))
        assert cycle_request_close(cycle_id=cycle.id, actor_id=BOSS, now=database_now())
        cycle.refresh_from_db()
        assert cycle.requested_by == BOSS
        assert close(database_now(), consumed=False) == [cycle.id]

    @pytest.mark.parametrize("change", [{"due_at": datetime(2100, 1, 1, tzinfo=UTC)}, {"state": "closed"}])
    def test_a_cycle_that_is_not_due_or_not_open_cannot_be_closed_by_finance(self, cycle, change):
        Cycle.objects.filter(id=cycle.id).update(**change)
        assert not cycle_request_close(cycle_id=cycle.id, actor_id=BOSS, now=database_now())
        assert Cycle.objects.get().requested_at is None

    def test_a_ledger_without_a_cycle_has_nothing_to_close(self, cycle):
        cycle.delete()
        assert close() == []

    def test_the_first_cycle_is_opened_once(self, cycle):
        cycle.delete()
        assert cycle_open_first(due_at=DUE)
        assert not cycle_open_first(due_at=DUE + timedelta(days=1))
        assert Cycle.objects.get().due_at == DUE


@pytest.mark.django_db
class TestTheNextCyclesEntries:
    """Entries of N+1 that come between the flip and the payout."""

    @pytest.fixture
    def closing(self):
        cycle = open_cycle()
        deliver("tasks", [completed()])
        cycle_flip(cycle_id=cycle.id, now=DUE)
        return cycle

    def pay(self, cycle):
        close(DUE + timedelta(minutes=1))
        cycle.refresh_from_db()
        assert cycle.state == "closed"
        assert ledger_findings() == []

    def test_a_fee_of_the_next_cycle_does_not_lower_the_payout(self, closing):
        deliver("tasks", [assigned(no=2)])
        self.pay(closing)
        assert payouts() == [(WILMA, reward(TASK))]
        assert balances() == {WILMA: -fee(TASK)}

    def test_a_reward_of_the_next_cycle_is_not_paid_by_this_one(self, closing):
        deliver("tasks", [completed(task_id(2)), completed(task_id(3), account=BORIS)])
        self.pay(closing)
        assert payouts() == [(WILMA, reward(TASK))]
        assert balances() == {WILMA: reward(task_id(2)), BORIS: reward(task_id(3))}

    def test_a_closing_that_goes_on_after_such_entries_pays_nobody_twice(self, closing):
        following = Cycle.objects.get(state="open")
        start = WILMA.__class__(int=0)
        payouts_post_batch(cycle_id=closing.id, next_cycle_id=following.id, now=DUE, after=start, skip_locked=True)
        deliver("tasks", [completed(task_id(2))])
        self.pay(closing)
        assert payouts() == [(WILMA, reward(TASK))]

    def test_who_is_paid_is_said_by_the_journal_not_by_the_mails(self, closing):
        """A lost mail, and a reward afterwards: paid once, and closing comes to its end."""
        following = Cycle.objects.get(state="open")
        start = WILMA.__class__(int=0)
        payouts_post_batch(cycle_id=closing.id, next_cycle_id=following.id, now=DUE, after=start, skip_locked=True)
        Payout.objects.all().delete()
        deliver("tasks", [completed(task_id(2))])
        close(DUE + timedelta(minutes=1))
        closing.refresh_from_db()
        assert (closing.state, closing.payout_count, closing.payout_sum) == ("closed", 1, reward(TASK))
        assert payouts() == [(WILMA, reward(TASK))]
        assert [finding.rule for finding in ledger_findings()] == ["payouts equal their transfers"]

    def test_a_cycle_that_owes_somebody_is_not_closed(self, closing):
        following = Cycle.objects.get(state="open")
        assert cycle_finish(cycle_id=closing.id, next_cycle_id=following.id, now=DUE) is None
        closing.refresh_from_db()
        assert closing.state == "closing"


@pytest.mark.django_db
class TestGuard:
    """The database refuses a posting into a cycle that does not take it."""

    @pytest.mark.parametrize(
        ("state", "kind", "refused"),
        [
            ("open", "fee", False),
            ("open", "payout", True),
            ("closing", "payout", False),
            ("closing", "fee", True),
            ("closed", "payout", True),
            ("closed", "adjustment", True),
        ],
    )
    def test_a_posting_into_the_wrong_cycle_is_refused(self, state, kind, refused):
        cycle = open_cycle()
        deliver("tasks", [assigned()])
        Cycle.objects.filter(id=cycle.id).update(state=state)
        copy = Transfer.objects.get()
        copy.id, copy.idempotency_key, copy.entry_no, copy.kind = event_id("x"), "x", 2, kind
        copy.reason, copy.actor_id = "because of it", "somebody"
        if refused:
            with pytest.raises(IntegrityError, match="posting refused"), transaction.atomic():
                copy.save(force_insert=True)
        else:
            copy.save(force_insert=True)

    def test_a_second_open_cycle_is_refused(self):
        open_cycle()
        with pytest.raises(IntegrityError, match="one_open_cycle"), transaction.atomic():
            open_cycle(DUE + timedelta(days=1))

    def test_two_cycles_of_one_due_time_are_refused(self):
        open_cycle()
        with pytest.raises(IntegrityError, match="due_at"), transaction.atomic():
            Cycle.objects.create(id=event_id("another"), due_at=DUE, state="closed")


def test_the_business_zone_of_the_tests_is_berlin():
    assert DUE.astimezone(zone()).hour == 18
