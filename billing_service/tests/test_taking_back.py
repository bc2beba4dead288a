"""A ledger from a backup takes back what it told: each entry in its cycle again, and nobody is paid twice."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from billing.domain import PayloadConflict
from billing.models import Cycle, Payout, Transfer
from billing.selectors.ledger_check import ledger_findings
from billing.services import payouts
from billing.services.adjustments import adjustment_post, adjustment_reverse, payout_return
from billing.services.cycles import cycle_open_first
from billing.services.mails import payout_mails_send
from billing.services.taking_back import Contradiction, ledger_take_back, told_read
from billing.services.task_events import task_events_post
from eventbus.testing import published
from tests.ledger import balances, close
from tests.make import BORIS, BOSS, DUE, NINA, WILMA, account, assigned, completed, reopened, reward, task_id
from tests.pages import page, rows, text
from tests.told import LOST, Dump, ledger, replay, take_back, topics

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TUESDAY, WEDNESDAY = DUE + DAY / 2, DUE + DAY * 3 / 2
REASON = "The reward was lost."


@pytest.fixture(autouse=True)
def prices(settings):
    """Always the same, for who is owed something hangs on them. With these Nina ends Tuesday above zero."""
    settings.PRICE_KEYS = {"story": b"\x06" * 32}


class Story:
    """Two days of work that were settled and paid, and the morning of a third; the dump is of the first morning."""

    def __init__(self, *, by_hand=False, close_last=True):
        self.tasks = []
        cycle_open_first(due_at=DUE)
        self.happens(assigned(), completed(), assigned(task_id(2), account=BORIS))
        self.dump = Dump()
        self.happens(completed(task_id(3), account=NINA), completed(task_id(4), account=BORIS), completed(task_id(5)))
        close()
        self.happens(completed(task_id(6), time=TUESDAY), assigned(task_id(7), account=BORIS, time=TUESDAY))
        self.happens(
            reopened(task_id(3), account=NINA, time=TUESDAY), completed(task_id(8), account=NINA, time=TUESDAY)
        )
        if by_hand:
            self.by_hand()
        if close_last:
            close(DUE + DAY)
            self.happens(completed(task_id(9), account=BORIS, time=WEDNESDAY), reopened(task_id(6), time=WEDNESDAY))
        self.told = published()

    def happens(self, *events):
        """A second between what tasks tell and what the broker notes, so that the two are not mixed up."""
        events = [replace(event, received_at=event.time + timedelta(seconds=1)) for event in events]
        self.tasks += events
        task_events_post(events)

    def by_hand(self):
        given = {"actor_id": BOSS, "reason": REASON, "now": TUESDAY}
        wrong = adjustment_post(form_key=uuid4(), account_id=BORIS, amount=10_000, credit=True, **given)
        adjustment_post(form_key=uuid4(), account_id=NINA, amount=500, credit=False, task_id=task_id(3), **given)
        adjustment_reverse(form_key=uuid4(), transfer_id=wrong, **given)
        payout_return(transfer_id=Transfer.objects.get(kind="payout", account_id=WILMA).id, **given)

    def lost(self, tasks=None, **given):
        """The database is lost, the dump restored, and what was told taken back."""
        self.dump.restore()
        return take_back(self.told, self.tasks if tasks is None else tasks, **given)


class TestTheSameLedger:
    def test_everything_is_as_it_was_to_the_last_column(self):
        story = Story()
        before = ledger()
        done = story.lost()
        assert ledger() == before
        assert (len(done.closed), done.incomplete) == (2, 0)
        assert done.entries == {"earning": 6, "fee": 1, "reversal": 2, "payout": 5}
        assert ledger_findings() == []

    def test_the_replay_posts_nothing_and_nobody_is_paid_or_told_again(self):
        story = Story()
        before = ledger()
        story.lost()
        told = published()
        replay(story.tasks)
        assert close(DUE + DAY) == []
        assert ledger() == before
        assert published() == told
        assert payout_mails_send(clock=lambda: WEDNESDAY) == 0

    def test_nothing_is_told_by_it(self):
        story = Story()
        story.dump.restore()
        told = published()
        take_back(story.told, story.tasks)
        assert published() == told

    def test_closing_goes_on_as_if_nothing_had_happened(self):
        story = Story()
        again = Dump()
        close(DUE + 2 * DAY)
        owed = balances(), set(Transfer.objects.filter(kind="payout").values_list("id", "amount"))
        again.restore()
        story.lost()
        close(DUE + 2 * DAY)
        assert (balances(), set(Transfer.objects.filter(kind="payout").values_list("id", "amount"))) == owed
        assert ledger_findings() == []

    def test_a_second_run_finds_nothing(self):
        story = Story()
        story.lost()
        before = ledger()
        done = take_back(story.told, story.tasks)
        assert (done.entries, done.closed, ledger()) == ({}, [], before)

    def test_a_database_that_was_not_lost_stays_as_it_is(self):
        story = Story(by_hand=True)
        before = ledger()
        take_back(story.told, story.tasks)
        assert ledger() == before

    def test_what_was_told_twice_is_taken_back_once(self):
        story = Story()
        before = ledger()
        story.told = [event for event in story.told for _ in range(2)] + story.told[:5]
        story.lost()
        assert ledger() == before

    def test_a_cycle_that_the_demo_closed_early_and_the_one_it_opened_the_same_day_have_their_ids(self):
        cycle_open_first(due_at=DUE)
        tasks = [completed(), completed(task_id(2), account=BORIS), completed(task_id(3), account=NINA)]
        dump = Dump()
        task_events_post(tasks[:1])
        close(DUE - timedelta(hours=3), as_if_due=True, consumed=False)
        task_events_post(tasks[1:2])
        close(DUE - timedelta(hours=2), as_if_due=True, consumed=False)
        task_events_post(tasks[2:])
        told, before = published(), ledger()
        dump.restore()
        take_back(told, tasks)
        assert ledger() == before

    def test_the_cycle_that_opens_after_an_early_closing_has_its_id_also_where_nothing_is_in_it(self):
        cycle_open_first(due_at=DUE)
        dump = Dump()
        close(DUE - timedelta(hours=3), as_if_due=True, consumed=False)
        told, before = published(), ledger()
        dump.restore()
        take_back(told, [])
        assert ledger() == before


class TestByHand:
    def test_the_money_is_as_it_was_and_who_and_why_are_said_to_be_lost(self):
        story = Story(by_hand=True)
        before = ledger(but=LOST, hashes=False)
        done = story.lost()
        assert ledger(but=LOST, hashes=False) == before
        assert done.incomplete == 4
        entered = Transfer.objects.filter(kind__in=["adjustment", "payout_return"])
        assert {entry.reason for entry in entered} == {"Who entered it and why was lost with the database."}
        assert ledger_findings() == []

    def test_the_same_form_sent_once_more_is_refused(self):
        cycle_open_first(due_at=DUE)
        account(WILMA)
        dump = Dump()
        form = {"form_key": uuid4(), "account_id": WILMA, "amount": 500, "credit": True, "reason": REASON}
        adjustment_post(**form, actor_id=BOSS, now=DUE)
        told = published()
        dump.restore()
        take_back(told, [])
        with pytest.raises(PayloadConflict):
            adjustment_post(**form, actor_id=BOSS, now=DUE)
        assert balances() == {WILMA: 500}

    def test_pages_say_what_is_lost(self, browser):
        story = Story(by_hand=True)
        story.lost()
        account(WILMA)
        client = browser("finance")
        words = "Who entered it and why was lost with the database. taken back after a restore, 06:00"
        assert words in text(page(client, f"/workers/{WILMA}"))
        [first, *_] = rows(page(client, f"/cycles/{Cycle.objects.earliest('due_at').id}").select_one("#payouts"))
        assert first[1] == "Taken back after a restore: its mail went out before, or is not sent."


class TestLossInTheMiddleOfPaying:
    @pytest.mark.parametrize("paid", [0, 1, 2, 3])
    def test_who_was_told_as_paid_is_not_paid_again_and_the_others_are(self, monkeypatch, paid):
        monkeypatch.setattr(payouts, "PAY_BATCH", 1)
        story = Story()
        workers = [WILMA, BORIS, NINA] * 3
        story.happens(*(completed(task_id(20 + n), account=who, time=WEDNESDAY) for n, who in enumerate(workers)))
        close(DUE + 2 * DAY)
        story.told, before = published(), ledger()
        entries = [e for e in story.told if e.name == "TransactionPosted" and e.data["kind"] == "payout"][-3:]
        ends = [*map(story.told.index, entries), story.told.index(published("CycleClosed")[-1])]
        story.told = story.told[: ends[paid]]
        done = story.lost()
        assert (len(done.closed), done.entries["payout"]) == (2, 5 + paid)
        # Where nobody is told as paid nothing says that closing had begun.
        assert Cycle.objects.get(due_at=DUE + 2 * DAY).state == ("closing" if paid else "open")
        replay(story.tasks)
        now = DUE + 2 * DAY + timedelta(hours=1)
        assert len(close(now)) == 1
        assert money(ledger()) == money(before)
        assert ledger_findings() == []
        assert Payout.objects.filter(done_at=None).count() == 3 - paid

    @pytest.mark.parametrize("steps", [0, 1, 2, 3])
    def test_a_dump_of_the_middle_of_paying_takes_back_the_rest_of_it(self, monkeypatch, steps):
        monkeypatch.setattr(payouts, "PAY_BATCH", 1)
        story, done = Story(close_last=False), []

        def checkpoint(step):
            done.append(step)
            if len(done) == steps + 1:
                story.dump = Dump()

        close(DUE + DAY, checkpoint=checkpoint)
        story.happens(completed(task_id(9), account=BORIS, time=WEDNESDAY))
        close(DUE + 2 * DAY)
        story.told, before = published(), ledger()
        assert len(story.lost().closed) == 2
        assert ledger() == before


def money(ledger):
    """Entries and accounts, without when and from whom they came."""
    names = ("id", "account_id", "entry_no", "cycle_id", "change", "balance_after")
    return [tuple(entry[name] for name in names) for entry in ledger["entries"]], ledger["accounts"]


class TestRefusals:
    def refused(self, story, match, tasks=None):
        with pytest.raises(Contradiction, match=match):
            story.lost(tasks)
        assert Transfer.objects.count() == 3
        assert Cycle.objects.get().state == "open"

    def changed(self, story, name, number=0, **data):
        found = [event for event in story.told if event.name == name][number]
        other = replace(found, data=found.data | data)
        story.told = [other if event is found else event for event in story.told]

    @pytest.mark.parametrize("what", [{"payout_sum": 1}, {"payout_count": 1}, {"hash": "0" * 64}])
    def test_a_closing_that_was_told_with_another_outcome(self, what):
        story = Story()
        self.changed(story, "CycleClosed", 1, **what)
        self.refused(story, "was closed with")

    def test_another_hash_is_taken_on_request(self):
        story = Story()
        before = ledger()
        self.changed(story, "CycleClosed", hash="0" * 64)
        story.lost(compare_hashes=False)
        assert ledger() == before

    def test_a_payout_of_something_else_than_was_owed(self):
        story = Story()
        number = next(n for n, e in enumerate(published("TransactionPosted")) if e.data["kind"] == "payout")
        self.changed(story, "TransactionPosted", number, amount=-1)
        self.refused(story, "is not what was owed")

    def test_a_payout_that_is_not_told_although_the_closing_is(self):
        story = Story()
        story.told = [event for event in story.told if event.data.get("kind") != "payout"]
        self.refused(story, "not all of its payouts are told")

    def test_a_dump_that_is_older_than_what_kafka_keeps(self):
        story = Story()
        story.told = story.told[story.told.index(published("CycleClosed")[0]) + 1 :]
        self.refused(story, "older than what Kafka keeps")

    def test_a_gap_in_what_was_told(self):
        story = Story()
        close(DUE + 2 * DAY)
        story.told = [event for event in published() if event != published("CycleClosed")[1]]
        self.refused(story, "older than what Kafka keeps")

    def test_an_event_of_tasks_that_says_something_else(self):
        story = Story()
        tasks = [
            replace(event, data=event.data | {"account_id": str(BORIS)}) if event.key == str(task_id(5)) else event
            for event in story.tasks
        ]
        self.refused(story, "leads to something else", tasks)

    def test_an_entry_that_was_told_in_two_ways(self):
        story = Story()
        found = published("TransactionPosted")[-1]
        story.told.append(replace(found, data=found.data | {"cycle_id": str(uuid4())}))
        self.refused(story, "told in two ways")

    def test_consumers_that_were_up_before(self):
        story = Story()
        story.dump.restore()
        replay(story.tasks)
        before = ledger()
        with pytest.raises(Contradiction, match="billing has worked since the restore"):
            take_back(story.told, story.tasks)
        assert ledger() == before

    def test_somebody_who_posts_meanwhile(self):
        story = Story()
        story.dump.restore()
        told = told_read(topics(story.told, story.tasks))
        task_events_post([event for event in story.tasks if event.key == str(task_id(3))][:1])
        with pytest.raises(Contradiction, match="posted meanwhile"):
            ledger_take_back(told)


class TestAMissingCause:
    def test_the_money_comes_back_and_the_event_is_refused_when_it_comes_after_all(self):
        story = Story()
        missing = next(event for event in story.tasks if event.key == str(task_id(5)))
        before = ledger(but=LOST | {"event_id", "received_at"}, hashes=False)
        done = story.lost([event for event in story.tasks if event is not missing])
        assert done.incomplete == 1
        assert ledger(but=LOST | {"event_id", "received_at"}, hashes=False) == before
        entry = Transfer.objects.get(task_id=task_id(5))
        assert (entry.idempotency_key, entry.cause) == (f"earning:{task_id(5)}:1", "taken back after a restore")
        assert ledger_findings() == []
        with pytest.raises(PayloadConflict):
            replay([missing])

    def test_what_was_not_told_is_posted_by_the_replay_into_the_open_cycle(self):
        story, before = Story(), balances()
        story.told = [event for event in story.told if event.data.get("task_id") != str(task_id(9))]
        story.lost()
        assert not Transfer.objects.filter(task_id=task_id(9)).exists()
        replay(story.tasks)
        entry = Transfer.objects.get(task_id=task_id(9))
        assert (entry.change, entry.cycle.state) == (reward(task_id(9)), "open")
        assert balances() == before
        assert ledger_findings() == []
